//! Where a function's program comes from, in order.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use bytes::Bytes;
use sam_emulator::invoke::{Invocation, Invoker as _};
use sam_emulator::process::{HostEnvironment, ProcessOptions, Processes, Programs, Search};
use sam_emulator::template;
use serde_json::Value;

use crate::project::write_package;

/// A script that runs `echo` and says where it was found.
fn write_script(file: &Path, place: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, format!("#!/bin/sh\nPLACE={place} exec {}\n", env!("CARGO_BIN_EXE_echo"))).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Where the program of the function `orders` was found: what the script says, or the text of a binary.
async fn place(template: &str, search: &Search) -> String {
    let plan = template::read(template, &BTreeMap::new()).unwrap();
    let programs = match Programs::find(&plan, search).await {
        Ok(programs) => programs,
        Err(error) => return error.to_string().replace(search.template_folder.to_str().unwrap(), "HOME"),
    };
    let host = HostEnvironment {
        prefixes: Default::default(),
        address: "127.0.0.1:3000".parse().unwrap(),
        account: plan.account.clone(),
        variables: BTreeMap::new(),
    };
    let processes = Processes::new(&plan, &programs, &host, &ProcessOptions::default()).unwrap();
    let reply = processes.invoke(Invocation::new("orders", Bytes::from_static(b"{}"))).await.unwrap();
    let reply: Value = serde_json::from_slice(&reply).unwrap();
    let place = &reply["environment"]["PLACE"];
    place.as_str().or(reply["body"].as_str()).unwrap().to_owned()
}

fn template(code_uri: &str, metadata: &str) -> String {
    let properties = format!("{{ FunctionName: orders, Runtime: provided.al2023, CodeUri: {code_uri} }}");
    format!(
        "Resources: {{ Orders: {{ Type: AWS::Serverless::Function, {metadata} Properties: {properties} }} }}"
    )
}

#[tokio::test]
async fn programs_are_taken_from_the_first_place_that_has_them() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    write_package(&home.join("code"), "shop", &["orders"], "built");
    let places = [
        ("bin/orders", "bin-dir"),
        ("code/bootstrap", "bootstrap"),
        ("code/target/lambda/orders/bootstrap", "cargo-lambda"),
        ("code/target/release/orders", "release"),
        ("code/target/debug/orders", "debug"),
    ];
    for (file, place) in places {
        write_script(&home.join(file), place);
    }
    let search =
        Search { template_folder: home.clone(), bin_dir: Some(home.join("bin")), ..Search::default() };
    for (file, expected) in places {
        assert_eq!(place(&template("code", ""), &search).await, expected);
        fs::remove_file(home.join(file)).unwrap();
    }
    assert_eq!(place(&template("code", ""), &search).await, "built");
    assert_eq!(place(&template("code/target/lambda/orders", ""), &search).await, "built");
}

#[tokio::test]
async fn a_binary_is_found_in_every_layout_of_a_project() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    fs::write(home.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\"]\n").unwrap();
    write_package(&home.join("a"), "a", &["first", "second"], "from a");
    write_package(&home.join("b"), "b", &["orders"], "from b");
    write_package(&home.join("c"), "other", &["x"], "from c");
    fs::write(
        home.join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\"]\nexclude = [\"c\"]\n",
    )
    .unwrap();
    let search = Search { template_folder: home.clone(), ..Search::default() };
    for (code_uri, metadata, expected) in [
        (".", "Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: second } },", "from a"),
        (".", "", "from b"),
        ("b", "", "from b"),
        ("c", "", "from c"),
        ("a", "Metadata: { BuildProperties: { Binary: first } },", "from a"),
    ] {
        assert_eq!(place(&template(code_uri, metadata), &search).await, expected, "{code_uri} {metadata}");
    }
    let refused = place(&template(".", "Metadata: { BuildProperties: { Binary: third } },"), &search).await;
    assert!(refused.ends_with("\n  orders: no package of HOME has a binary named third"), "{refused}");
}
