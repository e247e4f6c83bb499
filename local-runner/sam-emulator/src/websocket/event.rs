//! The three kinds of events of a connection, as JSON bytes, in the format of the captured events in
//! aws-lambda-rust-runtime (`example-apigw-websocket-request*.json`). Time and ids are inputs.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::{CONNECTION, HOST, UPGRADE, USER_AGENT};
use http::request::Parts;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::close_reason::CloseReason;
use crate::gateway::{API_ID, log_time};
use crate::header_case::usual_case;

/// What all events of one connection have in common.
#[derive(Debug)]
pub struct ConnectionMeta {
    /// `connectionId`.
    pub id: Arc<str>,
    /// The client's address.
    pub source_ip: IpAddr,
    /// `User-Agent` of the upgrade request.
    pub user_agent: Option<Box<str>>,
    /// `Host` of the upgrade request, without the port.
    pub domain: Box<str>,
    /// The time of the upgrade request.
    pub connected_at: Timestamp,
    /// `requestContext.authorizer` of every event, if an authorizer let the client in.
    pub authorizer: Option<Value>,
}

impl ConnectionMeta {
    /// The data of the connection `id`, from its upgrade request.
    #[must_use]
    pub fn of(head: &Parts, id: Arc<str>, source_ip: IpAddr, now: Timestamp) -> Self {
        let text = |name| head.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let host = text(HOST).unwrap_or(Cow::Borrowed("localhost"));
        let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()));
        let domain = port.map_or(host.as_ref(), |(name, _)| name).into();
        Self {
            id,
            source_ip,
            user_agent: text(USER_AGENT).map(Into::into),
            domain,
            connected_at: now,
            authorizer: None,
        }
    }
}

/// What differs from event to event.
#[derive(Debug, Clone, Copy)]
pub struct EventMeta<'a> {
    /// The stage's name.
    pub stage: &'a str,
    /// The selected route.
    pub route_key: &'a str,
    /// The gateway's request id.
    pub request_id: &'a str,
    /// The time of the event.
    pub now: Timestamp,
}

/// The event of `$connect`, the only one with the client's headers and query. `port` is the port of the
/// listener; `trace` is the value of `X-Amzn-Trace-Id` if the client sent none.
#[must_use]
pub fn connect(meta: &ConnectionMeta, event: EventMeta<'_>, head: &Parts, port: u16, trace: &str) -> Vec<u8> {
    let headers = connect_headers(head, meta.source_ip, port, trace);
    let query: Vec<Pair<'_>> =
        form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).collect();
    to_json(&Event {
        headers: Some(Last(&headers)),
        multi_value_headers: Some(Multi(&headers)),
        query_string_parameters: (!query.is_empty()).then_some(Last(&query)),
        multi_value_query_string_parameters: (!query.is_empty()).then_some(Multi(&query)),
        ..Event::of(context(meta, event, "CONNECT"))
    })
}

/// The event of one message, with the body as the client sent it and without headers.
#[must_use]
pub fn message(meta: &ConnectionMeta, event: EventMeta<'_>, message_id: &str, body: &str) -> Vec<u8> {
    let context = RequestContext { message_id: Some(message_id), ..context(meta, event, "MESSAGE") };
    to_json(&Event { body: Some(body), ..Event::of(context) })
}

/// The event of `$disconnect`. AWS sends exactly these four headers, three of them empty.
#[must_use]
pub fn disconnect(meta: &ConnectionMeta, event: EventMeta<'_>, reason: &CloseReason) -> Vec<u8> {
    let names = ["Host", "x-api-key", "X-Forwarded-For", "x-restapi"];
    let headers: Vec<Pair<'_>> =
        names.map(|name| (name.into(), if name == "Host" { &*meta.domain } else { "" }.into())).into();
    let context = RequestContext {
        disconnect_status_code: Some(reason.code()),
        disconnect_reason: Some(reason.disconnect_reason()),
        ..context(meta, event, "DISCONNECT")
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
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    source_ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
}

impl<'a> From<&'a ConnectionMeta> for Identity<'a> {
    fn from(meta: &'a ConnectionMeta) -> Self {
        Self { source_ip: meta.source_ip, user_agent: meta.user_agent.as_deref() }
    }
}

fn context<'a>(
    meta: &'a ConnectionMeta,
    event: EventMeta<'a>,
    event_type: &'static str,
) -> RequestContext<'a> {
    RequestContext {
        route_key: event.route_key,
        message_id: None,
        disconnect_status_code: None,
        event_type,
        extended_request_id: event.request_id,
        request_time: log_time(event.now),
        message_direction: "IN",
        disconnect_reason: None,
        stage: event.stage,
        connected_at: meta.connected_at.as_millisecond(),
        request_time_epoch: event.now.as_millisecond(),
        identity: meta.into(),
        request_id: event.request_id,
        domain_name: &meta.domain,
        connection_id: &meta.id,
        api_id: API_ID,
        authorizer: meta.authorizer.as_ref(),
    }
}

type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The client's headers without `Connection` and `Upgrade`, and the headers that the gateway adds.
fn connect_headers<'a>(head: &'a Parts, source_ip: IpAddr, port: u16, trace: &'a str) -> Vec<Pair<'a>> {
    let sent = head.headers.iter().filter(|(name, _)| **name != CONNECTION && **name != UPGRADE);
    let mut headers: Vec<Pair<'_>> = sent
        .map(|(name, value)| (usual_case(name.as_str()).into(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let mut add = |name: &'static str, value: Cow<'a, str>| {
        if !headers.iter().any(|(other, _)| other == name) {
            headers.push((name.into(), value));
        }
    };
    add("X-Amzn-Trace-Id", trace.into());
    add("X-Forwarded-Port", port.to_string().into());
    add("X-Forwarded-Proto", "http".into());
    // The gateway appends the client's address to the addresses that earlier proxies wrote.
    match headers.iter_mut().find(|(name, _)| name == "X-Forwarded-For") {
        Some((_, value)) => *value = format!("{value}, {source_ip}").into(),
        None => headers.push(("X-Forwarded-For".into(), source_ip.to_string().into())),
    }
    headers
}

/// Serializes pairs as an object with the last value of each name.
struct Last<'a>(&'a [Pair<'a>]);

impl Serialize for Last<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let last = |name: &str| self.0.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value);
        serializer.collect_map(names(self.0).map(|name| (name, last(name))))
    }
}

/// Serializes pairs as an object with a list of all values of each name.
struct Multi<'a>(&'a [Pair<'a>]);

impl Serialize for Multi<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = |name: &str| {
            let values = self.0.iter().filter(|(other, _)| other == name);
            values.map(|(_, value)| value.as_ref()).collect::<Vec<_>>()
        };
        serializer.collect_map(names(self.0).map(|name| (name, all(name))))
    }
}

/// Each name once, in the order of first appearance. Quadratic, but a request head has a limited size.
fn names<'a>(pairs: &'a [Pair<'a>]) -> impl Iterator<Item = &'a str> {
    let is_first = |at: usize, name: &str| !pairs[..at].iter().any(|(other, _)| other == name);
    let firsts = pairs.iter().enumerate().filter(move |(at, (name, _))| is_first(*at, name));
    firsts.map(|(_, (name, _))| name.as_ref())
}

fn to_json(event: &Event<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(768 + event.body.map_or(0, |body| body.len() + body.len() / 8));
    // Serializing text and maps into memory cannot fail.
    let _ = serde_json::to_writer(&mut out, event);
    out
}
