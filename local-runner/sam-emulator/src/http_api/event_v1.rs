//! A request → the event of payload format 1.0, the format of REST APIs (API Gateway guide,
//! `http-api-develop-integrations-lambda`), as aws-lambda-dotnet recorded it from AWS
//! (`V1_UnicodeCharactersInPathHttpV1`): the path as sent, and decoded in `requestContext`.

use bytes::Bytes;
use http::header::HeaderMap;
use http::request::Parts;
use serde_json::{Map, Value, json};

use super::event::{RequestMeta, encode, latin1, protocol};
use super::headers::is_hop_by_hop;
use super::route::RouteMatch;
use crate::gateway::{API_ID, log_time};
use crate::header_case::usual_case;

/// Builds the event. Unlike in format 2.0, cookies stay a header, header names have their usual case, and
/// absent maps are `null`.
#[must_use]
pub(super) fn build(head: &Parts, body: &Bytes, found: &RouteMatch<'_>, meta: &RequestMeta<'_>) -> Vec<u8> {
    let (text, is_base64) = encode(&head.headers, body);
    let headers = multi_headers(&head.headers, body.len(), meta);
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
    let host = header("host").unwrap_or("localhost".into());
    let domain = host.rsplit_once(':').map_or(&*host, |(name, _)| name);
    json!({
        "accountId": meta.account_id,
        "apiId": API_ID,
        "domainName": domain,
        "domainPrefix": domain.split('.').next().unwrap_or_default(),
        "extendedRequestId": meta.request_id,
        "httpMethod": head.method.as_str(),
        "identity": {
            "accessKey": null,
            "accountId": null,
            "caller": null,
            "cognitoAuthenticationProvider": null,
            "cognitoAuthenticationType": null,
            "cognitoIdentityId": null,
            "cognitoIdentityPoolId": null,
            "principalOrgId": null,
            "sourceIp": meta.source_ip,
            "user": null,
            "userAgent": header("user-agent").unwrap_or_default(),
            "userArn": null,
        },
        "path": meta.path,
        "protocol": protocol(head),
        "requestId": meta.request_id,
        "requestTime": log_time(meta.now),
        "requestTimeEpoch": meta.now.as_millisecond(),
        "resourceId": found.route.key,
        "resourcePath": found.route.plan.path,
        "stage": meta.stage,
    })
}

fn multi_headers(headers: &HeaderMap, body_length: usize, meta: &RequestMeta<'_>) -> Map<String, Value> {
    let is_absent = |name: &str| !headers.contains_key(name);
    let forwarded = headers.get("x-forwarded-for").map(|earlier| latin1(earlier.as_bytes()));
    let forwarded = forwarded.map(|earlier| format!("{earlier}, {}", meta.source_ip));
    let added = [
        ("content-length", body_length.to_string()),
        ("host", "localhost".to_owned()),
        ("x-amzn-trace-id", meta.trace.to_owned()),
        ("x-forwarded-port", meta.port.to_string()),
        ("x-forwarded-proto", "http".to_owned()),
    ];
    let added = added.into_iter().filter(|(name, _)| is_absent(name));
    let address = ("x-forwarded-for", forwarded.unwrap_or_else(|| meta.source_ip.to_string()));
    let sent = headers.iter().filter(|(name, _)| !is_hop_by_hop(name) && *name != "x-forwarded-for");
    let sent = sent.map(|(name, value)| (name.as_str(), latin1(value.as_bytes()).into_owned()));
    multi(sent.chain(added).chain([address]).map(|(name, value)| (usual_case(name), value)))
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
