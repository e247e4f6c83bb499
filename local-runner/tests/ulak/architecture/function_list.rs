//! The template is the list of functions: folders, packages, the runner's registry, privileges and docs match it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use sam_emulator::plan::Plan;
use sam_emulator::template;
use test_support::repository;

use super::tidy::sources;
use super::workspace::Workspace;
use crate::server::{BINARY, own_server};

fn template_text() -> String {
    fs::read_to_string(repository().join("template.yaml")).unwrap()
}

fn plan() -> Plan {
    template::read(&template_text(), &BTreeMap::new()).unwrap()
}

fn folders() -> BTreeSet<String> {
    let entries = fs::read_dir(repository().join("functions")).unwrap();
    let folders =
        entries.map(|entry| entry.unwrap()).filter(|entry| entry.path().join("Cargo.toml").is_file());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn function_folders_match_the_template() {
    let plan = plan();
    let binaries: BTreeSet<String> =
        plan.functions.values().map(|function| function.binary.clone()).collect();
    let names: BTreeSet<String> = plan.functions.keys().cloned().collect();
    assert_eq!(names, binaries, "a function and its binary have the same name");
    assert_eq!(names, folders());
    let packages: BTreeSet<String> =
        Workspace::get().within("functions/").iter().map(|package| package.name.clone()).collect();
    assert_eq!(names, packages, "a function and its package have the same name");
}

/// `cargo test -p message-send` runs that function's tests.
#[test]
fn every_function_has_its_own_tests() {
    let tests = ["#[test]", "#[tokio::test", "http_function_tests!("];
    for function in Workspace::get().within("functions/") {
        assert_eq!(function.tests, BTreeSet::from(["it".to_owned()]), "{} has no tests/it", function.name);
        let files = sources(&format!("{}/tests/it", function.folder));
        let has_test = files.iter().any(|file| {
            let text = fs::read_to_string(file).unwrap();
            tests.iter().any(|test| text.contains(test))
        });
        assert!(has_test, "{} has no test in tests/it", function.name);
    }
}

#[test]
fn runner_links_every_function() {
    let output = Command::new(BINARY)
        .args(["functions", "--template"])
        .arg(repository().join("template.yaml"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let listed: BTreeSet<String> =
        text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert_eq!(listed, folders());
    let server = own_server(&[]);
    server.wait_until_searchable();
    server.request("GET", "/api/health").data(200);
    assert!(!server.log().contains("not linked"), "{}", server.log());
}

/// The adapters in a function's Cargo.toml are its privileges.
#[test]
fn functions_link_exactly_the_adapters_whose_variables_they_get() {
    const ADAPTERS: [(&str, &[&str]); 5] = [
        ("adapter-mongodb", &["MONGODB_URI"]),
        ("adapter-redis", &["REDIS_URL"]),
        ("adapter-rabbitmq", &["AMQP_URL"]),
        ("adapter-elasticsearch", &["ELASTICSEARCH_URL"]),
        ("adapter-api-gateway", &["PUSH_ENDPOINT", "FUNCTION_NAME_PREFIX"]),
    ];
    let plan = plan();
    let mut wrong = Vec::new();
    for function in Workspace::get().within("functions/") {
        let Some(planned) = plan.functions.get(&function.name) else { continue };
        for (adapter, variables) in ADAPTERS {
            let linked = function.dependencies.contains(adapter);
            let given = variables.iter().any(|name| planned.environment.contains_key(*name));
            if linked != given {
                wrong.push(format!(
                    "{}: {adapter} linked: {linked}, {variables:?} given: {given}",
                    function.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Functions that check tokens, and only those, get `JWT_SECRET`. Functions that push may call the management API.
#[test]
fn only_functions_that_need_them_get_the_secret_and_the_push_permission() {
    let plan = plan();
    for function in plan.functions.values() {
        let lib = fs::read_to_string(repository().join("functions").join(&function.name).join("src/lib.rs"))
            .unwrap();
        let checks_tokens = lib.contains("Gate<'");
        assert_eq!(function.environment.contains_key("JWT_SECRET"), checks_tokens, "{}", function.name);
    }
    let text = template_text();
    let count = |part: &str| text.matches(part).count();
    assert_eq!(count("PUSH_ENDPOINT:"), count("Action: execute-api:ManageConnections"));
}

/// The first sentence of a function's module comment is its description in the template.
#[test]
fn function_docs_match_the_template_descriptions() {
    let template = template_text();
    let plan = plan();
    for folder in folders() {
        let lib =
            fs::read_to_string(repository().join("functions").join(&folder).join("src/lib.rs")).unwrap();
        let docs: Vec<&str> = lib.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
        let docs = docs.join(" ");
        let Some((name, sentence)) = docs.split_once(" — ") else { panic!("{folder}: {docs}") };
        let sentence = sentence
            .split_once(". ")
            .map_or(sentence, |(first, _)| first)
            .trim_end_matches('.')
            .replace('`', "");
        assert!(template.contains(&format!("Description: \"{sentence}\"")), "{folder}: {sentence}");
        let routes = plan.http.iter().flat_map(|api| &api.routes).filter(|route| route.function == folder);
        let routes: Vec<String> = routes.map(|route| format!("{} {}", route.method, route.path)).collect();
        if let Some(first) = routes.first() {
            assert!(name.contains(&format!("`{first}`")), "{folder}: {name} does not name {first}");
        }
    }
}
