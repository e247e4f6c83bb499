//! A request → the event of payload format 1.0, the REST API's shape, for routes that ask for it. Pure.

use bytes::Bytes;
use http::header::HeaderMap;
use http::request::Parts;
use serde_json::{Map, Value, json};

use super::event::{Surroundings, clf, encode, latin1, protocol};
use super::hop;
use super::route::Match;
use crate::ids::API_ID;

/// Builds the event. Unlike 2.0, header names keep no case here either (HTTP/1.1 libraries fold it), cookies
/// stay a header, and absent maps are `null`.
#[must_use]
pub fn build(head: &Parts, body: &Bytes, found: &Match<'_>, around: &Surroundings<'_>) -> Vec<u8> {
    let (text, is_base64) = encode(&head.headers, body);
    let headers = multi_headers(&head.headers, around);
    let query = multi(
        form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
            .map(|(k, v)| (k.into_owned(), v.into_owned())),
    );
    let parameters: Map<String, Value> =
        found.parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let event = json!({
        "version": "1.0",
        "resource": found.route.plan.path,
        "path": head.uri.path(),
        "httpMethod": head.method.as_str(),
        "headers": last_values(&headers),
        "multiValueHeaders": headers,
        "queryStringParameters": or_null(last_values(&query)),
        "multiValueQueryStringParameters": or_null(query),
        "requestContext": context(head, found, around),
        "pathParameters": or_null(parameters),
        "stageVariables": null,
        "body": text,
        "isBase64Encoded": is_base64,
    });
    event.to_string().into_bytes()
}

fn context(head: &Parts, found: &Match<'_>, around: &Surroundings<'_>) -> Value {
    let header = |name: &str| head.headers.get(name).map(|value| latin1(value.as_bytes()));
    json!({
        "accountId": around.account_id,
        "apiId": API_ID,
        "domainName": header("host"),
        "httpMethod": head.method.as_str(),
        "identity": { "sourceIp": around.source_ip, "userAgent": header("user-agent") },
        "path": head.uri.path(),
        "protocol": protocol(head),
        "requestId": around.request_id,
        "requestTime": clf(around.now),
        "requestTimeEpoch": around.now.as_millisecond(),
        "resourcePath": found.route.plan.path,
        "stage": around.stage,
    })
}

fn multi_headers(headers: &HeaderMap, around: &Surroundings<'_>) -> Map<String, Value> {
    let own = headers.iter().filter(|(name, _)| !hop::is_hop_by_hop(name));
    let own = own.map(|(name, value)| (name.as_str().to_owned(), latin1(value.as_bytes()).into_owned()));
    let added = [
        ("x-amzn-trace-id", around.trace.to_owned()),
        ("x-forwarded-for", around.source_ip.to_string()),
        ("x-forwarded-port", around.port.to_string()),
        ("x-forwarded-proto", "http".to_owned()),
    ];
    multi(own.chain(added.map(|(name, value)| (name.to_owned(), value))))
}

fn multi(pairs: impl Iterator<Item = (String, String)>) -> Map<String, Value> {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        match map.entry(name).or_insert_with(|| json!([])) {
            Value::Array(values) => values.push(value.into()),
            _ => unreachable!("only arrays are put in"),
        }
    }
    map
}

/// Format 1.0 keeps the last value where only one fits.
fn last_values(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter().filter_map(|(name, values)| Some((name.clone(), values.as_array()?.last()?.clone()))).collect()
}

fn or_null(map: Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}
