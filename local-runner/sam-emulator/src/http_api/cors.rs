//! `CorsConfiguration` (contract §3.4): the gateway answers preflights, and its headers replace whatever
//! the integration says about CORS. Pure.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName, HeaderValue, ORIGIN,
};
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::Full;

use crate::mount::Response;
use crate::plan::CorsPlan;

/// Marks an answer, in its extensions, whose CORS headers are complete.
#[derive(Debug, Clone, Copy)]
pub struct Preflight;

/// One API's CORS rules, header values ready made.
#[derive(Debug)]
pub struct Cors {
    origins: Vec<String>,
    /// On every answer to an allowed origin.
    always: Vec<(HeaderName, HeaderValue)>,
    /// On preflights only.
    preflight: Vec<(HeaderName, HeaderValue)>,
}

impl Cors {
    /// Prepares the rules.
    #[must_use]
    pub fn new(plan: &CorsPlan) -> Self {
        let list = |name: HeaderName, items: &[String]| {
            let value = HeaderValue::from_str(&items.join(",")).ok()?;
            (!items.is_empty()).then_some((name, value))
        };
        let flag = plan.allow_credentials.then(|| HeaderValue::from_static("true"));
        let credentials = flag.map(|value| (ACCESS_CONTROL_ALLOW_CREDENTIALS, value));
        let max_age = plan.max_age.map(|seconds| (ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds)));
        Self {
            origins: plan.allow_origins.clone(),
            always: [credentials, list(ACCESS_CONTROL_EXPOSE_HEADERS, &plan.expose_headers)]
                .into_iter()
                .flatten()
                .collect(),
            preflight: [
                list(ACCESS_CONTROL_ALLOW_METHODS, &plan.allow_methods),
                list(ACCESS_CONTROL_ALLOW_HEADERS, &plan.allow_headers),
                max_age,
            ]
            .into_iter()
            .flatten()
            .collect(),
        }
    }

    /// Whether a request asks for permission before the real one.
    #[must_use]
    pub fn is_preflight(head: &Parts) -> bool {
        head.method == Method::OPTIONS
            && head.headers.contains_key(ORIGIN)
            && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The answer to a preflight: 204, with the rules only for an allowed origin.
    #[must_use]
    pub fn preflight(&self, request: &HeaderMap) -> Response {
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.extensions_mut().insert(Preflight);
        if self.apply(request.get(ORIGIN), response.headers_mut()) {
            response.headers_mut().extend(self.preflight.iter().cloned());
        }
        response
    }

    /// Replaces the CORS headers of an answer; returns whether the origin is allowed.
    pub fn apply(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) -> bool {
        let own: Vec<HeaderName> =
            answer.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
        for name in own {
            answer.remove(name);
        }
        let Some(allowed) = origin.and_then(|origin| self.allowed(origin)) else { return false };
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        answer.extend(self.always.iter().cloned());
        true
    }

    /// `*` where all are allowed, the origin itself where it is listed, nothing else.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        let text = origin.to_str().ok()?;
        let lists = |pattern: &str| self.origins.iter().any(|known| known == pattern);
        if lists("*") {
            return Some(HeaderValue::from_static("*"));
        }
        let scheme = text.split_once("://").map(|(scheme, _)| format!("{scheme}://*"));
        (lists(text) || scheme.is_some_and(|pattern| lists(&pattern))).then(|| origin.clone())
    }
}
