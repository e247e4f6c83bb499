//! What the system accepts is what the documents say: every documented field and parameter is read, and no other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::schema::{asyncapi, openapi, property_names};
use crate::server::shared_server;
use crate::sockets::socket_client::SocketClient;

/// No documented field accepts this.
fn wrong() -> Value {
    json!({ "$gt": "" })
}

/// Every name with a wrong value, and one that is not documented.
fn all_wrong(names: &BTreeSet<String>) -> Value {
    let undocumented = ["undocumented".to_owned()];
    names.iter().chain(&undocumented).map(|name| (name.clone(), wrong())).collect::<Map<_, _>>().into()
}

fn with_undocumented(mut names: BTreeSet<String>) -> BTreeSet<String> {
    names.insert("undocumented".to_owned());
    names
}

#[test]
fn bodies_have_the_documented_fields_and_no_other() {
    let ada = shared_server().person();
    let mut count = 0;
    for operation in openapi().operations() {
        let Some(schema) = operation.body_schema(openapi()) else { continue };
        let names = property_names(schema);
        let request = ada.request(&operation.method, &operation.path_with("unknown"));
        let answer = request.json(&all_wrong(&names)).fails(422, "VALIDATION_FAILED");
        let found: BTreeSet<String> = answer.fields().into_iter().collect();
        assert_eq!(found, with_undocumented(names), "{}", operation.route());
        count += 1;
    }
    assert!(count > 8, "only {count} bodies");
}

#[test]
fn queries_have_the_documented_parameters_and_no_other() {
    let ada = shared_server().person();
    let mut count = 0;
    for operation in openapi().operations() {
        let names = operation.query_names();
        if names.is_empty() {
            continue;
        }
        let all = with_undocumented(names);
        // Too long for every parameter, and no number.
        let query: Vec<String> = all.iter().map(|name| format!("{name}={}", "x".repeat(401))).collect();
        let path = format!("{}?{}", operation.path_with("unknown"), query.join("&"));
        let answer = ada.request(&operation.method, &path).fails(422, "VALIDATION_FAILED");
        let found: BTreeSet<String> = answer.fields().into_iter().collect();
        assert_eq!(found, all, "{}", operation.route());
        count += 1;
    }
    assert!(count > 4, "only {count} queries");
}

/// Each event's payload by its name and by its aliases.
#[tokio::test]
async fn client_events_have_the_documented_fields_and_no_other() {
    let ada = shared_server().person();
    let mut client = SocketClient::json(&ada).await;
    let mut by_event: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (key, operation) in asyncapi().json["operations"].as_object().unwrap() {
        let Some(name) = key.strip_prefix("receive_") else { continue };
        assert_eq!(operation["action"], "receive");
        let message = &asyncapi().json["components"]["messages"][name];
        let schema = asyncapi().resolve(&message["payload"]["properties"]["data"]);
        by_event.insert(name.to_owned(), property_names(schema));
    }
    // It ignores its payload.
    assert_eq!(by_event.remove("online_users"), Some(BTreeSet::new()));
    assert!(by_event.len() > 8, "{by_event:?}");
    for (name, names) in by_event {
        client.send(&json!({ "action": name, "id": name, "data": all_wrong(&names) }).to_string()).await;
        let ack = client.receive_event("ack").await;
        let details = ack["data"]["error"]["details"].as_array().cloned().unwrap_or_default();
        let found: BTreeSet<String> =
            details.iter().map(|detail| detail["field"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found, with_undocumented(names), "{name}");
    }
}
