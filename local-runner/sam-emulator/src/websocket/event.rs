//! A connection's three kinds of events, as JSON bytes (contract §4.2). Pure: time and ids are inputs.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::{CONNECTION, HOST, UPGRADE, USER_AGENT};
use http::request::Parts;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::end::End;
use super::header_case;
use crate::ids::API_ID;

/// What stays the same for all events of one connection.
#[derive(Debug)]
pub struct Origin {
    /// `connectionId`.
    pub id: Arc<str>,
    /// The client's address.
    pub source_ip: IpAddr,
    /// `User-Agent` of the upgrade.
    pub user_agent: Option<Box<str>>,
    /// `Host` of the upgrade, without the port.
    pub domain: Box<str>,
    /// When the upgrade came in.
    pub connected_at: Timestamp,
}

impl Origin {
    /// Reads the upgrade request of the connection `id`.
    #[must_use]
    pub fn of(head: &Parts, id: Arc<str>, source_ip: IpAddr, now: Timestamp) -> Self {
        let text = |name| head.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let host = text(HOST).unwrap_or(Cow::Borrowed("localhost"));
        let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()));
        let domain = port.map_or(host.as_ref(), |(name, _)| name).into();
        Self { id, source_ip, user_agent: text(USER_AGENT).map(Into::into), domain, connected_at: now }
    }
}

/// What is new with one event.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// The stage's name.
    pub stage: &'a str,
    /// The route that was selected.
    pub route_key: &'a str,
    /// The gateway's id of this request.
    pub request_id: &'a str,
    /// The moment.
    pub now: Timestamp,
}

/// The event of `$connect`: the only one with the client's headers and query. `port` is the one clients
/// reach, `trace` the X-Ray root, unless the client sent one.
#[must_use]
pub fn connect(origin: &Origin, at: Occasion<'_>, head: &Parts, port: u16, trace: &str) -> Vec<u8> {
    let headers = connect_headers(head, origin.source_ip, port, trace);
    let query: Vec<Pair<'_>> =
        form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).collect();
    to_json(&Event {
        headers: Some(Last(&headers)),
        multi_value_headers: Some(Multi(&headers)),
        query_string_parameters: (!query.is_empty()).then_some(Last(&query)),
        multi_value_query_string_parameters: (!query.is_empty()).then_some(Multi(&query)),
        ..Event::of(context(origin, at, "CONNECT"))
    })
}

/// The event of one message: no headers, the body as it was sent.
#[must_use]
pub fn message(origin: &Origin, at: Occasion<'_>, message_id: &str, body: &str) -> Vec<u8> {
    let context = RequestContext { message_id: Some(message_id), ..context(origin, at, "MESSAGE") };
    to_json(&Event { body: Some(body), ..Event::of(context) })
}

/// The event of `$disconnect`, with its four odd headers.
#[must_use]
pub fn disconnect(origin: &Origin, at: Occasion<'_>, end: &End) -> Vec<u8> {
    let names = ["Host", "x-api-key", "X-Forwarded-For", "x-restapi"];
    let headers: Vec<Pair<'_>> =
        names.map(|name| (name.into(), if name == "Host" { &*origin.domain } else { "" }.into())).into();
    let context = RequestContext {
        disconnect_status_code: Some(end.code),
        disconnect_reason: Some(&end.reason),
        ..context(origin, at, "DISCONNECT")
    };
    to_json(&Event {
        headers: Some(Last(&headers)),
        multi_value_headers: Some(Multi(&headers)),
        ..Event::of(context)
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Last<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<Multi<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_parameters: Option<Last<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_query_string_parameters: Option<Multi<'a>>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    is_base64_encoded: bool,
}

impl<'a> Event<'a> {
    fn of(request_context: RequestContext<'a>) -> Self {
        Self {
            headers: None,
            multi_value_headers: None,
            query_string_parameters: None,
            multi_value_query_string_parameters: None,
            request_context,
            body: None,
            is_base64_encoded: false,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    route_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_status_code: Option<u16>,
    event_type: &'static str,
    extended_request_id: &'a str,
    request_time: String,
    message_direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_reason: Option<&'a str>,
    stage: &'a str,
    connected_at: i64,
    request_time_epoch: i64,
    identity: Identity<'a>,
    request_id: &'a str,
    domain_name: &'a str,
    connection_id: &'a str,
    api_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    source_ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
}

impl<'a> From<&'a Origin> for Identity<'a> {
    fn from(origin: &'a Origin) -> Self {
        Self { source_ip: origin.source_ip, user_agent: origin.user_agent.as_deref() }
    }
}

fn context<'a>(origin: &'a Origin, at: Occasion<'a>, event_type: &'static str) -> RequestContext<'a> {
    RequestContext {
        route_key: at.route_key,
        message_id: None,
        disconnect_status_code: None,
        event_type,
        extended_request_id: at.request_id,
        request_time: at.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        message_direction: "IN",
        disconnect_reason: None,
        stage: at.stage,
        connected_at: origin.connected_at.as_millisecond(),
        request_time_epoch: at.now.as_millisecond(),
        identity: origin.into(),
        request_id: at.request_id,
        domain_name: &origin.domain,
        connection_id: &origin.id,
        api_id: API_ID,
    }
}

type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The client's headers, without those of the hop, and what the gateway adds.
fn connect_headers<'a>(head: &'a Parts, source_ip: IpAddr, port: u16, trace: &'a str) -> Vec<Pair<'a>> {
    let own = head.headers.iter().filter(|(name, _)| **name != CONNECTION && **name != UPGRADE);
    let mut headers: Vec<Pair<'_>> = own
        .map(|(name, value)| {
            (header_case::original(name.as_str()).into(), String::from_utf8_lossy(value.as_bytes()))
        })
        .collect();
    let mut add = |name: &'static str, value: Cow<'a, str>| {
        if !headers.iter().any(|(known, _)| known == name) {
            headers.push((name.into(), value));
        }
    };
    add("X-Amzn-Trace-Id", trace.into());
    add("X-Forwarded-Port", port.to_string().into());
    add("X-Forwarded-Proto", "http".into());
    // The gateway appends the address it sees to what proxies before it wrote.
    match headers.iter_mut().find(|(name, _)| name == "X-Forwarded-For") {
        Some((_, value)) => *value = format!("{value}, {source_ip}").into(),
        None => headers.push(("X-Forwarded-For".into(), source_ip.to_string().into())),
    }
    headers
}

/// An object with the last value of each name, where only one fits.
struct Last<'a>(&'a [Pair<'a>]);

impl Serialize for Last<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let last = |name: &str| self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        serializer.collect_map(names(self.0).map(|name| (name, last(name))))
    }
}

/// An object with all values of each name.
struct Multi<'a>(&'a [Pair<'a>]);

impl Serialize for Multi<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = |name: &str| {
            let values = self.0.iter().filter(|(known, _)| known == name);
            values.map(|(_, value)| value.as_ref()).collect::<Vec<_>>()
        };
        serializer.collect_map(names(self.0).map(|name| (name, all(name))))
    }
}

/// Each name once, in the order of first appearance. Heads are bounded, so the square is small.
fn names<'a>(pairs: &'a [Pair<'a>]) -> impl Iterator<Item = &'a str> {
    let is_first = |at: usize, name: &str| !pairs[..at].iter().any(|(known, _)| known == name);
    let firsts = pairs.iter().enumerate().filter(move |(at, (name, _))| is_first(*at, name));
    firsts.map(|(_, (name, _))| name.as_ref())
}

fn to_json(event: &Event<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(768 + event.body.map_or(0, |body| body.len() + body.len() / 8));
    // Serializing text and maps into memory cannot fail.
    let _ = serde_json::to_writer(&mut out, event);
    out
}
