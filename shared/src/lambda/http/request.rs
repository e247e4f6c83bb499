//! HTTP requests as handlers get them: parsed once, with the gateway's time and id.

use std::collections::HashMap;

use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use lambda_http::RequestExt as _;
use lambda_http::request::RequestContext;
use serde_json::Value;

use crate::auth::{Credentials, Origin, Requester, SessionOpening};
use crate::error::Error;
use crate::form::Form;
use crate::id::Entropy;
use crate::time::Time;

/// The largest body that is accepted, in bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// One HTTP request.
#[derive(Debug, Clone)]
pub struct Request {
    /// API Gateway's request id.
    pub id: String,
    /// The route key, such as `GET /api/auth/me`.
    pub route: String,
    /// When the gateway received the request.
    pub now: Time,
    pub entropy: Entropy,
    /// The client's IP address as the gateway saw it.
    pub source_ip: String,
    pub user_agent: String,
    /// The path parameters, decoded.
    pub path: HashMap<String, String>,
    /// The query parameters, decoded; of a repeated name the last.
    pub query: HashMap<String, String>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Request {
    pub(super) fn of(request: &lambda_http::Request) -> Self {
        let headers = request.headers().clone();
        // The header may contain bytes that are not UTF-8; they are replaced, the rest is used.
        let user_agent = headers.get(USER_AGENT).map_or(&b""[..], |value| value.as_bytes());
        let user_agent = String::from_utf8_lossy(user_agent).into_owned();
        let mut parsed = Self {
            id: request.lambda_context_ref().map(|c| c.request_id.clone()).unwrap_or_default(),
            route: String::new(),
            now: Time::from_millis(0),
            entropy: Entropy::default(),
            source_ip: String::new(),
            user_agent,
            path: collect(request.path_parameters_ref()),
            query: collect(request.query_string_parameters_ref()),
            body: request.body().as_ref().to_vec(),
            headers,
        };
        if let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() {
            parsed.id = context.request_id.clone().unwrap_or_default();
            parsed.route = context.route_key.clone().unwrap_or_default();
            parsed.now = Time::from_millis(context.time_epoch);
            parsed.source_ip = context.http.source_ip.clone().unwrap_or_default();
        }
        parsed
    }

    /// The caller's token and address, for the gate.
    pub fn credentials(&self) -> Credentials<'_> {
        Credentials { token: self.bearer(), requester: self.requester() }
    }

    /// Who sent the request, before the token is checked.
    pub fn requester(&self) -> Requester<'_> {
        let Self { id: request_id, now, .. } = self;
        Requester { user_id: None, session_id: None, origin: self.origin(), request_id, now: *now }
    }

    /// The addresses of the request, for limits.
    pub fn origin(&self) -> Origin<'_> {
        let forwarded_for = self.headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
        Origin { source_ip: &self.source_ip, forwarded_for }
    }

    /// The part of the request that opening a session needs.
    pub fn session_opening(&self) -> SessionOpening<'_> {
        SessionOpening { user_agent: &self.user_agent, requester: self.requester(), entropy: &self.entropy }
    }

    /// The access token of the `Authorization` header.
    fn bearer(&self) -> Option<&str> {
        let value = self.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
    }

    /// The fields of the JSON body.
    ///
    /// # Errors
    /// `PayloadTooLarge`, `UnsupportedMediaType`, `InvalidJson`; `Invalid` if the body is no object.
    pub fn form(&self) -> Result<Form, Error> {
        if self.body.len() > LARGEST_BODY {
            return Err(Error::PayloadTooLarge("the body is larger than 64 KiB; send less"));
        }
        let kind = self.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Error::UnsupportedMediaType);
        }
        let value: Value = serde_json::from_slice(&self.body).map_err(|_| Error::InvalidJson)?;
        Form::json(value)
    }

    /// As [`form`](Self::form), but an absent body has no fields.
    ///
    /// # Errors
    /// See [`form`](Self::form).
    pub fn form_or_empty(&self) -> Result<Form, Error> {
        if self.body.is_empty() { Form::json(Value::Object(serde_json::Map::new())) } else { self.form() }
    }

    /// The fields of the query.
    pub fn query_form(&self) -> Form {
        Form::query(&self.query)
    }

    /// The id in the path parameter `name`. `what` names the resource for the error.
    ///
    /// # Errors
    /// `NotFound` if the parameter is absent or no id.
    pub fn path_id<T>(
        &self,
        name: &str,
        what: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Error> {
        self.path.get(name).and_then(|text| parse(text).ok()).ok_or(Error::NotFound(what))
    }
}

fn collect(map: Option<&lambda_http::aws_lambda_events::query_map::QueryMap>) -> HashMap<String, String> {
    map.map(|m| m.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect()).unwrap_or_default()
}
