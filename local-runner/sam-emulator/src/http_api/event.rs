//! A request → the event of payload format 2.0, as JSON bytes (API Gateway guide,
//! `http-api-develop-integrations-lambda`). Time and ids are inputs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, USER_AGENT};
use http::request::Parts;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::headers::is_hop_by_hop;
use super::route::RouteMatch;
use crate::gateway::{API_ID, log_time};

/// What the gateway adds to a request: the fields of `requestContext` and the `X-Forwarded-*` headers.
#[derive(Debug, Clone)]
pub(super) struct RequestMeta<'a> {
    /// The path of the request, decoded, with its stage.
    pub(super) path: &'a str,
    /// The stage's name, or `$default`.
    pub(super) stage: &'a str,
    /// The account that owns the API: twelve digits.
    pub(super) account_id: &'a str,
    /// The gateway's request id, which is also the response's `apigw-requestid`.
    pub(super) request_id: &'a str,
    /// The client's address.
    pub(super) source_ip: IpAddr,
    /// The port of the listener.
    pub(super) port: u16,
    /// The time of the request.
    pub(super) now: Timestamp,
    /// The value of `X-Amzn-Trace-Id` if the client sent none, like `Root=1-…`.
    pub(super) trace: &'a str,
    /// `StageVariables` of the API.
    pub(super) stage_variables: &'a BTreeMap<String, String>,
    /// `requestContext.authorizer`, if an authorizer let the request in.
    pub(super) authorizer: Option<&'a Value>,
}

/// Builds the event. `body` is the whole body as the client sent it.
#[must_use]
pub(super) fn build(head: &Parts, body: &Bytes, found: &RouteMatch<'_>, meta: &RequestMeta<'_>) -> Vec<u8> {
    let headers = EventHeaders::of(head, body.len(), meta);
    let (text, is_base64) = encode(&head.headers, body);
    let query = head.uri.query().unwrap_or_default();
    let event = Event {
        version: "2.0",
        route_key: &found.route.key,
        raw_path: meta.path,
        raw_query_string: query,
        cookies: cookies(&head.headers),
        query_string_parameters: Pairs(query_parameters(query)),
        path_parameters: Pairs(found.parameters.iter().map(|(k, v)| (Cow::from(*k), Cow::from(v))).collect()),
        stage_variables: meta.stage_variables,
        request_context: context(head, found, meta, &headers),
        headers,
        body: text,
        is_base64_encoded: is_base64,
    };
    let mut out = Vec::with_capacity(1024 + body.len() + body.len() / 8);
    // Serializing text and maps into memory cannot fail.
    let _ = serde_json::to_writer(&mut out, &event);
    out
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<Cow<'a, str>>,
    headers: EventHeaders<'a>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    query_string_parameters: Pairs<'a>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    path_parameters: Pairs<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    stage_variables: &'a BTreeMap<String, String>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'a str,
    api_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a Value>,
    domain_name: Cow<'a, str>,
    domain_prefix: Cow<'a, str>,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'a str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: IpAddr,
    user_agent: Cow<'a, str>,
}

/// Serializes pairs as a JSON object, in their order.
pub(super) struct Pairs<'a>(pub(super) Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Pairs<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

fn context<'a>(
    head: &'a Parts,
    found: &'a RouteMatch<'_>,
    meta: &'a RequestMeta<'_>,
    headers: &EventHeaders<'a>,
) -> RequestContext<'a> {
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let domain = host.rsplit_once(':').map_or(host, |(name, _)| name);
    RequestContext {
        account_id: meta.account_id,
        api_id: API_ID,
        authorizer: meta.authorizer,
        domain_name: domain.into(),
        domain_prefix: domain.split('.').next().unwrap_or_default().into(),
        http: Http {
            method: head.method.as_str(),
            path: meta.path,
            protocol: protocol(head),
            source_ip: meta.source_ip,
            // Empty without the header, in aws-lambda-dotnet's recorded events.
            user_agent: headers.get(&USER_AGENT).unwrap_or_default(),
        },
        request_id: meta.request_id,
        route_key: &found.route.key,
        stage: meta.stage,
        time: log_time(meta.now),
        time_epoch: meta.now.as_millisecond(),
    }
}

/// `HTTP/1.1` or `HTTP/1.0`: the server supports no other version.
pub(super) fn protocol(head: &Parts) -> &'static str {
    if head.version == http::Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" }
}

/// The headers of the event: lower-case names, repeated headers joined with a comma, the gateway's own
/// headers added; without cookies and hop-by-hop headers.
pub(super) struct EventHeaders<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl<'a> EventHeaders<'a> {
    fn of(head: &'a Parts, body_length: usize, meta: &'a RequestMeta<'_>) -> Self {
        let mut list = Vec::with_capacity(head.headers.keys_len() + 5);
        for name in head.headers.keys().filter(|name| **name != COOKIE && !is_hop_by_hop(name)) {
            list.push((name.as_str(), joined(&head.headers, name)));
        }
        let mut headers = Self(list);
        headers.add_if_absent("content-length", || body_length.to_string().into());
        headers.add_if_absent("host", || "localhost".into());
        headers.add_if_absent("x-amzn-trace-id", || meta.trace.into());
        headers.add_if_absent("x-forwarded-port", || meta.port.to_string().into());
        headers.add_if_absent("x-forwarded-proto", || "http".into());
        headers.append_forwarded_for(meta.source_ip);
        headers
    }

    fn add_if_absent(&mut self, name: &'static str, value: impl FnOnce() -> Cow<'a, str>) {
        if !self.0.iter().any(|(other, _)| *other == name) {
            self.0.push((name, value()));
        }
    }

    /// The gateway appends the client's address to the addresses that earlier proxies wrote.
    fn append_forwarded_for(&mut self, ip: IpAddr) {
        match self.0.iter_mut().find(|(name, _)| *name == "x-forwarded-for") {
            Some((_, value)) => *value = format!("{value}, {ip}").into(),
            None => self.0.push(("x-forwarded-for", ip.to_string().into())),
        }
    }

    fn get(&self, name: &HeaderName) -> Option<Cow<'a, str>> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    }
}

impl Serialize for EventHeaders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// All values of one header, joined with a comma.
fn joined<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Cow<'a, str> {
    let mut values = headers.get_all(name).iter().map(|value| latin1(value.as_bytes()));
    let first = values.next().unwrap_or_default();
    values.fold(first, |all, next| Cow::Owned(format!("{all},{next}")))
}

/// Header bytes as text. Bytes that are not UTF-8 are decoded as Latin-1, HTTP's older default, so none is
/// lost.
pub(super) fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
    }
}

fn cookies(headers: &HeaderMap) -> Vec<Cow<'_, str>> {
    let lines = headers.get_all(COOKIE).iter().map(|value| latin1(value.as_bytes()));
    let split = |line: Cow<'_, str>| line.split(';').map(|it| it.trim().to_owned()).collect::<Vec<_>>();
    lines.flat_map(split).filter(|cookie| !cookie.is_empty()).map(Cow::Owned).collect()
}

/// The decoded parameters; several values of one name are joined with a comma.
fn query_parameters(query: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let mut list: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match list.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => *values = format!("{values},{value}").into(),
            None => list.push((name, value)),
        }
    }
    list
}

/// The event's `body` and `isBase64Encoded`: text for text types, base64 otherwise; an empty body is absent.
pub(super) fn encode<'a>(headers: &HeaderMap, body: &'a Bytes) -> (Option<Cow<'a, str>>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    match std::str::from_utf8(body) {
        Ok(text) if is_text(headers) => (Some(text.into()), false),
        _ => (Some(STANDARD.encode(body).into()), true),
    }
}

/// Whether the gateway passes on bodies of this content type as text.
fn is_text(headers: &HeaderMap) -> bool {
    const EXACT: [&str; 3] = ["application/json", "application/xml", "application/javascript"];
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    EXACT.iter().any(|text_type| kind.eq_ignore_ascii_case(text_type))
        || kind.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"))
}
