//! Dependencies between crates: `functions → shared, adapters`; `adapters → shared`; `shared` and `sam-emulator` depend
//! on no workspace crate; some crates may be in no binary.

use std::collections::BTreeSet;
use std::fs;

use expect_test::expect;
use test_support::repository;

use super::tidy::{is_test, sources};
use super::workspace::{Package, Workspace};

const TEST_SUPPORT: &str = "test-support";

/// The dependencies of a package that are workspace crates.
fn workspace_dependencies<'a>(workspace: &Workspace, package: &'a Package) -> BTreeSet<&'a str> {
    let is_member = |name: &&str| workspace.packages.iter().any(|package| package.name == *name);
    package.dependencies.iter().map(String::as_str).filter(is_member).collect()
}

#[test]
fn functions_depend_only_on_shared_and_adapters() {
    let workspace = Workspace::get();
    for function in workspace.within("functions/") {
        let dependencies = workspace_dependencies(workspace, function);
        assert!(dependencies.contains("shared"), "{}", function.name);
        let others: Vec<&&str> =
            dependencies.iter().filter(|name| **name != "shared" && !name.starts_with("adapter-")).collect();
        assert!(others.is_empty(), "{} depends on {others:?}", function.name);
        let linked = workspace.closure(function);
        for banned in ["adapter-embedded", "rusqlite", "libsqlite3-sys", "local-runner", "clap"] {
            assert!(!linked.contains(banned), "{} links {banned}", function.name);
        }
    }
}

#[test]
fn adapters_depend_only_on_shared() {
    let workspace = Workspace::get();
    for adapter in workspace.within("shared/adapters/") {
        assert_eq!(
            workspace_dependencies(workspace, adapter),
            BTreeSet::from(["shared"]),
            "{}",
            adapter.name
        );
    }
}

#[test]
fn shared_depends_on_no_workspace_crate_and_no_driver() {
    let workspace = Workspace::get();
    let shared = workspace.package("shared");
    assert!(workspace_dependencies(workspace, shared).is_empty());
    for name in workspace.closure(shared) {
        let driver =
            ["mongodb", "bson", "redis", "lapin", "rusqlite", "libsqlite3-sys", "elasticsearch", "reqwest"];
        let is_aws =
            ["aws-sdk", "aws-config", "aws-smithy", "aws-sig"].iter().any(|start| name.starts_with(start));
        assert!(!driver.contains(&name) && !is_aws, "shared depends on {name}");
    }
}

#[test]
fn emulator_depends_on_no_workspace_crate() {
    let workspace = Workspace::get();
    let emulator = workspace.package("sam-emulator");
    assert_eq!(workspace_dependencies(workspace, emulator), BTreeSet::new());
}

/// Test code must not be linked into a binary.
#[test]
fn test_support_is_only_a_dev_dependency() {
    let workspace = Workspace::get();
    for package in workspace.packages.iter().filter(|package| package.name != TEST_SUPPORT) {
        assert!(
            !workspace.closure(package).contains(TEST_SUPPORT),
            "{} depends on {TEST_SUPPORT}",
            package.name
        );
    }
}

/// The tests of every package may link test-support, so it links no driver and no function.
#[test]
fn test_support_depends_only_on_shared_and_the_embedded_store() {
    let workspace = Workspace::get();
    let package = workspace.package(TEST_SUPPORT);
    assert_eq!(workspace_dependencies(workspace, package), BTreeSet::from(["adapter-embedded", "shared"]));
    for name in workspace.closure(package) {
        let driver = ["mongodb", "bson", "redis", "lapin"].contains(&name);
        assert!(!driver && !name.starts_with("aws-"), "{name} is linked into every test");
    }
}

/// Functions link these crates, so a reviewer must see a new dependency here. `UPDATE_EXPECT=1` accepts it.
#[test]
fn dependencies_of_shared_and_adapters_match_the_list() {
    let workspace = Workspace::get();
    let adapters = workspace.within("shared/adapters/");
    let packages = [workspace.package("shared")].into_iter().chain(adapters);
    let lines: Vec<String> = packages
        .map(|package| {
            let names: Vec<&str> = package.dependencies.iter().map(String::as_str).collect();
            format!("{}: {}", package.name, names.join(" "))
        })
        .collect();
    expect![[r#"
        shared: argon2 async-trait base64 flate2 futures hmac http jiff jsonwebtoken lambda_http lambda_runtime rand schemars serde serde_json sha2 signature thiserror tokio tracing tracing-subscriber ulid unicode-normalization
        adapter-api-gateway: async-trait aws-credential-types aws-sdk-apigatewaymanagement aws-sigv4 aws-smithy-http-client aws-smithy-runtime-api aws-smithy-types http percent-encoding serde_json shared tokio
        adapter-elasticsearch: async-trait base64 bytes http http-body-util hyper hyper-rustls hyper-util percent-encoding rustls serde serde_json shared tokio
        adapter-embedded: async-trait rusqlite shared tempfile thiserror tokio tracing
        adapter-mongodb: async-trait futures mongodb serde shared tokio
        adapter-rabbitmq: async-trait lapin shared thiserror tokio tracing
        adapter-redis: async-trait redis rustls shared tokio"#]].assert_eq(&lines.join("\n"));
}

/// What makes the API's documents runs before the deployment only. Cargo joins the features of a whole build, so the
/// manifests are compared, not the graph.
#[test]
fn only_the_crate_of_the_documents_asks_for_schemas() {
    let workspace = Workspace::get();
    for package in &workspace.packages {
        let manifest = fs::read_to_string(repository().join(&package.folder).join("Cargo.toml")).unwrap();
        let asks = manifest.contains("schemars") || manifest.contains("\"schema\"");
        assert_eq!(asks, ["shared", "api-documents"].contains(&package.name.as_str()), "{}", package.name);
        let depends = package.dependencies.contains("api-documents");
        assert!(!depends, "{} depends on api-documents", package.name);
    }
    let shared = fs::read_to_string(repository().join("shared/Cargo.toml")).unwrap();
    assert!(
        shared.contains("schemars = { workspace = true, optional = true }"),
        "schemars must stay optional"
    );
    assert!(!shared.contains("default ="), "no feature of shared may be on by itself");
}

/// The one TLS stack is rustls with ring.
#[test]
fn only_one_tls_stack_is_linked() {
    let workspace = Workspace::get();
    let everything = workspace.everything();
    for banned in ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls", "boring"] {
        assert!(!everything.contains(banned), "{banned} is in the dependency graph");
    }
}

/// The time and randomness are inputs, only two modules read the environment, and no task outlives a reply.
#[test]
fn functions_and_shared_read_no_clock_and_no_environment() {
    let cases = [
        ("SystemTime::now", vec!["shared/src/lambda.rs"]),
        // The remaining time of an invocation, on tokio's clock, which tests can pause.
        ("Instant::now", vec!["functions/auto-message-queuer/src/lib.rs", "shared/src/deadline.rs"]),
        ("Timestamp::now", vec![]),
        ("std::env", vec!["shared/src/config.rs", "shared/src/telemetry.rs"]),
        ("env::var", vec!["shared/src/config.rs", "shared/src/telemetry.rs"]),
        ("tokio::spawn(", vec![]),
    ];
    let files = sources("shared/src").into_iter().chain(sources("functions"));
    for file in files.filter(|file| !is_test(file)) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (banned, allowed) in &cases {
            let is_allowed = allowed.iter().any(|place| file.ends_with(place));
            assert!(is_allowed || !code.contains(banned), "{} uses {banned}", file.display());
        }
    }
}
