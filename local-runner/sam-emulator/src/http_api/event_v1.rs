//! A request → the event of payload format 1.0, the format of REST APIs (API Gateway guide,
//! `http-api-develop-integrations-lambda`).

use bytes::Bytes;
use http::header::HeaderMap;
use http::request::Parts;
use serde_json::{Map, Value, json};

use super::event::{RequestMeta, encode, latin1, protocol};
use super::headers::is_hop_by_hop;
use super::route::RouteMatch;
use crate::gateway::{API_ID, log_time};

/// Builds the event. Unlike in format 2.0, cookies stay a header, and absent maps are `null`. Header names
/// are in lower case, because the HTTP library does not keep the client's case.
#[must_use]
pub(super) fn build(head: &Parts, body: &Bytes, found: &RouteMatch<'_>, meta: &RequestMeta<'_>) -> Vec<u8> {
    let (text, is_base64) = encode(&head.headers, body);
    let headers = multi_headers(&head.headers, meta);
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
        "requestContext": with_authorizer(context(head, found, meta), meta),
        "pathParameters": or_null(parameters),
        "stageVariables": stage_variables(meta),
        "body": text,
        "isBase64Encoded": is_base64,
    });
    event.to_string().into_bytes()
}

fn stage_variables(meta: &RequestMeta<'_>) -> Value {
    if meta.stage_variables.is_empty() { Value::Null } else { json!(meta.stage_variables) }
}

fn with_authorizer(mut context: Value, meta: &RequestMeta<'_>) -> Value {
    if let Some(authorizer) = meta.authorizer {
        context["authorizer"] = authorizer.clone();
    }
    context
}

fn context(head: &Parts, found: &RouteMatch<'_>, meta: &RequestMeta<'_>) -> Value {
    let header = |name: &str| head.headers.get(name).map(|value| latin1(value.as_bytes()));
    json!({
        "accountId": meta.account_id,
        "apiId": API_ID,
        "domainName": header("host"),
        "httpMethod": head.method.as_str(),
        "identity": { "sourceIp": meta.source_ip, "userAgent": header("user-agent") },
        "path": head.uri.path(),
        "protocol": protocol(head),
        "requestId": meta.request_id,
        "requestTime": log_time(meta.now),
        "requestTimeEpoch": meta.now.as_millisecond(),
        "resourcePath": found.route.plan.path,
        "stage": meta.stage,
    })
}

fn multi_headers(headers: &HeaderMap, meta: &RequestMeta<'_>) -> Map<String, Value> {
    let sent = headers.iter().filter(|(name, _)| !is_hop_by_hop(name));
    let sent = sent.map(|(name, value)| (name.as_str().to_owned(), latin1(value.as_bytes()).into_owned()));
    let added = [
        ("x-amzn-trace-id", meta.trace.to_owned()),
        ("x-forwarded-for", meta.source_ip.to_string()),
        ("x-forwarded-port", meta.port.to_string()),
        ("x-forwarded-proto", "http".to_owned()),
    ];
    multi(sent.chain(added.map(|(name, value)| (name.to_owned(), value))))
}

fn multi(pairs: impl Iterator<Item = (String, String)>) -> Map<String, Value> {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        match map.entry(name).or_insert_with(|| json!([])) {
            Value::Array(values) => values.push(value.into()),
            _ => unreachable!("every entry is an array"),
        }
    }
    map
}

/// The map with one value per name: format 1.0 keeps the last.
fn last_values(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter().filter_map(|(name, values)| Some((name.clone(), values.as_array()?.last()?.clone()))).collect()
}

fn or_null(map: Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}
