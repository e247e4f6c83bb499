//! One list: the documents name every route, function, error code and event of the code, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sam_emulator::template;
use serde_json::Value;
use test_support::repository;

use super::schema::{asyncapi, openapi};
use crate::server::shared_server;

fn source(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

/// What stands between quotes after each `marker`, in the code before the unit tests.
fn quoted(code: &str, is_wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let code = code.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().filter(|line| is_wanted(line));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn openapi_lists_the_templates_routes_with_their_functions_and_sentences() {
    let text = source("template.yaml");
    let plan = template::read(&text, &BTreeMap::new()).unwrap();
    let routes = plan.http.iter().flat_map(|api| &api.routes);
    let expected: BTreeMap<String, String> =
        routes.map(|route| (format!("{} {}", route.method, route.path), route.function.clone())).collect();
    let mut documented = BTreeMap::new();
    for operation in openapi().operations() {
        let id = operation.value["operationId"].as_str().unwrap();
        // An alias has a number.
        let function = id.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-');
        documented.insert(operation.route(), function.to_owned());
        let summary = operation.value["summary"].as_str().unwrap();
        let sentence = format!("{}{}", summary[..1].to_lowercase(), &summary[1..]);
        assert!(text.contains(&format!("Description: \"{sentence}\"")), "{id}: {sentence}");
    }
    assert_eq!(documented, expected);
}

#[test]
fn openapi_and_asyncapi_list_the_codes_of_the_error_type() {
    let code = source("shared/src/error.rs");
    let expected = quoted(&code, |line| line.contains(" => \"") || line.contains("why.code()"));
    assert!(expected.len() > 10, "{expected:?}");
    let names = |document: &Value, pointer: &str| -> BTreeSet<String> {
        let list = document.pointer(pointer).unwrap().as_array().unwrap();
        list.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let http = "/components/schemas/Failure/properties/error/properties/code/enum";
    assert_eq!(names(&openapi().json, http), expected);
    assert_eq!(names(&asyncapi().json, "/components/schemas/SocketError/properties/code/enum"), expected);
    let somewhere: BTreeSet<String> = openapi()
        .operations()
        .iter()
        .flat_map(|operation| operation.codes(openapi()))
        .map(|(_, code)| code)
        .collect();
    assert_eq!(somewhere, expected, "each code is documented for some route");
}

#[test]
fn asyncapi_lists_the_events_of_the_code() {
    let operations = asyncapi().json["operations"].as_object().unwrap();
    let named = |prefix: &str| -> BTreeSet<String> {
        operations.keys().filter_map(|key| key.strip_prefix(prefix)).map(str::to_owned).collect()
    };
    let client = quoted(&source("shared/src/realtime/client_event.rs"), |line| {
        line.trim_start().starts_with('"') && line.contains(" => ")
    });
    assert_eq!(named("receive_"), client);
    let mut server = quoted(&source("shared/src/realtime/event.rs"), |line| line.contains("{ .. } => \""));
    assert!(server.len() > 5, "{server:?}");
    // Those that no variant of ServerEvent is: of the protocols.
    server.extend(["connected", "error", "ping", "replay_incomplete"].map(str::to_owned));
    assert_eq!(named("send_"), server);
}

/// A request's example is valid, and so is every example of an answer and of a frame.
#[test]
fn examples_are_valid_against_their_schemas() {
    let document = openapi();
    let mut count = 0;
    let mut check = |pointer: &str, content: &Value| {
        let several = content["examples"].as_object().into_iter().flat_map(|examples| examples.values());
        let several = several.map(|example| &example["value"]);
        for example in several.chain(Some(&content["example"]).filter(|example| !example.is_null())) {
            document.assert_valid(&format!("{pointer}/schema"), example);
            count += 1;
        }
    };
    let media = "content/application~1json";
    for operation in document.operations() {
        let path =
            format!("/paths/{}/{}", operation.path.replace('/', "~1"), operation.method.to_lowercase());
        if operation.example().is_some() {
            check(
                &format!("{path}/requestBody/{media}"),
                &operation.value["requestBody"]["content"]["application/json"],
            );
        }
        for (status, response) in operation.value["responses"].as_object().unwrap() {
            if response["$ref"].is_null() {
                check(
                    &format!("{path}/responses/{status}/{media}"),
                    &response["content"]["application/json"],
                );
            }
        }
    }
    for (name, response) in document.json["components"]["responses"].as_object().unwrap() {
        let pointer = format!("/components/responses/{name}/{media}");
        check(&pointer, &response["content"]["application/json"]);
    }
    for (name, message) in asyncapi().json["components"]["messages"].as_object().unwrap() {
        for example in message["examples"].as_array().unwrap() {
            asyncapi().assert_valid(&format!("/components/messages/{name}/payload"), &example["payload"]);
            count += 1;
        }
    }
    assert!(count > 80, "only {count} examples");
}

#[test]
fn documents_are_served_as_they_are_in_the_repository() {
    for (name, document) in [("openapi", openapi()), ("asyncapi", asyncapi())] {
        let path = format!("/api/{name}.json");
        let answer = shared_server().request("GET", &path).send();
        assert_eq!((answer.status, answer.json()), (200, document.json.clone()), "{name}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        openapi().assert_answer(&format!("GET {path}"), &answer);
    }
}

/// The page is a page: its own policy, and no word of another host.
#[test]
fn the_docs_page_has_a_strict_policy_and_no_outside_assets() {
    for (path, content_type) in [
        ("/api/docs", "text/html; charset=utf-8"),
        ("/api/docs/page.js", "text/javascript; charset=utf-8"),
        ("/api/docs/page.css", "text/css; charset=utf-8"),
    ] {
        let answer = shared_server().request("GET", path).send();
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        for outside in ["http://", "https://", "//cdn", "<style", "style=", "onclick"] {
            assert!(!answer.text().contains(outside), "{path} contains {outside}");
        }
    }
    let missing = shared_server().request("GET", "/api/docs/other.js").fails(404, "NOT_FOUND");
    openapi().assert_answer("GET /api/docs/{file}", &missing);
}
