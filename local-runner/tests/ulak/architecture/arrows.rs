//! Dependency arrows: `functions → shared, adapters`; `adapters → shared`; `shared → nothing of ours`; the
//! runner's library → nothing of ours; and what must be in no binary at all.

use std::collections::BTreeSet;
use std::fs;

use super::tidy::{is_test, sources};
use super::workspace::{Package, Workspace};

/// Those of a package's dependencies that are ours.
fn ours<'a>(workspace: &Workspace, package: &'a Package) -> BTreeSet<&'a str> {
    let is_ours = |name: &&str| workspace.packages.iter().any(|package| package.name == *name);
    package.dependencies.iter().map(String::as_str).filter(is_ours).collect()
}

#[test]
fn functions_stand_on_shared_and_adapters_alone() {
    let workspace = Workspace::get();
    for function in workspace.within("functions/") {
        let ours = ours(workspace, function);
        assert!(ours.contains("shared"), "{}", function.name);
        let others: Vec<&&str> =
            ours.iter().filter(|name| **name != "shared" && !name.starts_with("adapter-")).collect();
        assert!(others.is_empty(), "{} depends on {others:?}", function.name);
        let behind = workspace.closure(function);
        for banned in ["adapter-embedded", "rusqlite", "libsqlite3-sys", "local-runner", "clap"] {
            assert!(!behind.contains(banned), "{banned} gets into {}", function.name);
        }
    }
}

#[test]
fn adapters_stand_on_shared_alone() {
    let workspace = Workspace::get();
    for adapter in workspace.within("shared/adapters/") {
        assert_eq!(ours(workspace, adapter), BTreeSet::from(["shared"]), "{}", adapter.name);
    }
}

/// No driver, no AWS SDK.
#[test]
fn shared_stands_on_nothing_of_ours_and_knows_no_driver() {
    let workspace = Workspace::get();
    let shared = workspace.package("shared");
    assert!(ours(workspace, shared).is_empty());
    for name in workspace.closure(shared) {
        let driver =
            ["mongodb", "bson", "redis", "lapin", "rusqlite", "libsqlite3-sys", "elasticsearch", "reqwest"];
        let is_aws =
            ["aws-sdk", "aws-config", "aws-smithy", "aws-sig"].iter().any(|start| name.starts_with(start));
        assert!(!driver.contains(&name) && !is_aws, "shared depends on {name}");
    }
}

#[test]
fn the_emulator_depends_on_no_crate_of_ours() {
    let workspace = Workspace::get();
    let emulator = workspace.package("sam-emulator");
    assert!(ours(workspace, emulator).is_empty(), "{:?}", ours(workspace, emulator));
}

/// One TLS stack, rustls with ring.
#[test]
fn one_tls_stack() {
    let workspace = Workspace::get();
    let everything = workspace.everything();
    for banned in ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls", "boring"] {
        assert!(!everything.contains(banned), "{banned} is in the graph");
    }
}

/// `now` and randomness are inputs, the environment has one reader, and no task outlives a reply.
#[test]
fn functions_and_rules_read_no_clock_and_no_environment() {
    let cases = [
        ("SystemTime::now", vec!["shared/src/lambda.rs"]),
        // How long an invocation may still take, on tokio's clock, which tests can stop.
        ("Instant::now", vec!["functions/auto-message-queuer/src/lib.rs"]),
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
