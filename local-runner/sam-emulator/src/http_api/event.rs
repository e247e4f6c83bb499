//! A request → the event of payload format 2.0, as JSON bytes (contract §3.2). Pure: time and ids are inputs.

use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, USER_AGENT};
use http::request::Parts;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::hop;
use super::route::Match;
use crate::ids::API_ID;

/// What the gateway adds to a request.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// `$default` or the stage's name.
    pub stage: &'a str,
    /// The pretended account.
    pub account_id: &'a str,
    /// The `apigw-requestid` of the answer.
    pub request_id: &'a str,
    /// The client's address.
    pub source_ip: IpAddr,
    /// The port the client reached.
    pub port: u16,
    /// When the request came in.
    pub now: Timestamp,
    /// `Root=1-…`, unless the client sent one.
    pub trace: &'a str,
}

/// Builds the event. `body` is the whole body, as received.
#[must_use]
pub fn build(head: &Parts, body: &Bytes, found: &Match<'_>, around: &Surroundings<'_>) -> Vec<u8> {
    let headers = Headers::of(head, body.len(), around);
    let (text, is_base64) = encode(&head.headers, body);
    let query = head.uri.query().unwrap_or_default();
    let event = Event {
        version: "2.0",
        route_key: &found.route.key,
        raw_path: head.uri.path(),
        raw_query_string: query,
        cookies: cookies(&head.headers),
        query_string_parameters: Pairs(query_parameters(query)),
        path_parameters: Pairs(found.parameters.iter().map(|(k, v)| (Cow::from(*k), Cow::from(v))).collect()),
        request_context: context(head, found, around, &headers),
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
    headers: Headers<'a>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    query_string_parameters: Pairs<'a>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    path_parameters: Pairs<'a>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Cow<'a, str>>,
}

/// A JSON object from pairs, in their order.
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
    found: &'a Match<'_>,
    around: &'a Surroundings<'_>,
    headers: &Headers<'a>,
) -> RequestContext<'a> {
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let domain = host.rsplit_once(':').map_or(host, |(name, _)| name);
    RequestContext {
        account_id: around.account_id,
        api_id: API_ID,
        domain_name: domain.into(),
        domain_prefix: domain.split('.').next().unwrap_or_default().into(),
        http: Http {
            method: head.method.as_str(),
            path: head.uri.path(),
            protocol: protocol(head),
            source_ip: around.source_ip,
            user_agent: headers.get(&USER_AGENT),
        },
        request_id: around.request_id,
        route_key: &found.route.key,
        stage: around.stage,
        time: clf(around.now),
        time_epoch: around.now.as_millisecond(),
    }
}

/// `HTTP/1.1`; the runner speaks no other version to functions.
pub(super) fn protocol(head: &Parts) -> &'static str {
    if head.version == http::Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" }
}

/// Common log format: `21/Apr/2020:15:08:21 +0000`.
pub(super) fn clf(now: Timestamp) -> String {
    now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

/// Request headers as the event has them: lower-case names, duplicates joined with a comma, no cookies,
/// nothing that belongs to the connection, and what the gateway adds.
pub(super) struct Headers<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl<'a> Headers<'a> {
    fn of(head: &'a Parts, body_length: usize, around: &'a Surroundings<'_>) -> Self {
        let mut list = Vec::with_capacity(head.headers.keys_len() + 5);
        for name in head.headers.keys().filter(|name| **name != COOKIE && !hop::is_hop_by_hop(name)) {
            list.push((name.as_str(), joined(&head.headers, name)));
        }
        let mut headers = Self(list);
        headers.add("content-length", || body_length.to_string().into());
        headers.add("host", || "localhost".into());
        headers.add("x-amzn-trace-id", || around.trace.into());
        headers.add("x-forwarded-port", || around.port.to_string().into());
        headers.add("x-forwarded-proto", || "http".into());
        headers.forwarded_for(around.source_ip);
        headers
    }

    fn add(&mut self, name: &'static str, value: impl FnOnce() -> Cow<'a, str>) {
        if !self.0.iter().any(|(known, _)| *known == name) {
            self.0.push((name, value()));
        }
    }

    /// The gateway appends the address it sees to what proxies before it wrote.
    fn forwarded_for(&mut self, ip: IpAddr) {
        match self.0.iter_mut().find(|(name, _)| *name == "x-forwarded-for") {
            Some((_, value)) => *value = format!("{value}, {ip}").into(),
            None => self.0.push(("x-forwarded-for", ip.to_string().into())),
        }
    }

    fn get(&self, name: &HeaderName) -> Option<Cow<'a, str>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// All values of one header, comma-joined.
fn joined<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Cow<'a, str> {
    let mut values = headers.get_all(name).iter().map(|value| latin1(value.as_bytes()));
    let first = values.next().unwrap_or_default();
    values.fold(first, |all, next| Cow::Owned(format!("{all},{next}")))
}

/// Header bytes as text; what is not UTF-8 is read as Latin-1, HTTP's old default, so nothing is lost.
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

/// Decoded parameters; values of one name are comma-joined.
fn query_parameters(query: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let mut list: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match list.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => *values = format!("{values},{value}").into(),
            None => list.push((name, value)),
        }
    }
    list
}

/// The body as text where its type says text, else base64; absent when there is none.
pub(super) fn encode<'a>(headers: &HeaderMap, body: &'a Bytes) -> (Option<Cow<'a, str>>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    match std::str::from_utf8(body) {
        Ok(text) if is_text(headers) => (Some(text.into()), false),
        _ => (Some(STANDARD.encode(body).into()), true),
    }
}

/// Types whose bodies reach the function as text; every other body, and one without a type, is base64.
fn is_text(headers: &HeaderMap) -> bool {
    const EXACT: [&str; 3] = ["application/json", "application/xml", "application/javascript"];
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    EXACT.iter().any(|known| kind.eq_ignore_ascii_case(known))
        || kind.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"))
}
