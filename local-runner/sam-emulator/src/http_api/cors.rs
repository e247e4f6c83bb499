//! `CorsConfiguration`: the gateway answers preflights, and its CORS headers replace those of the function
//! (API Gateway guide, `http-api-cors`).

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName, HeaderValue, ORIGIN,
};
use http::request::Parts;
use http::{Method, StatusCode};

use crate::endpoint::{Response, empty};
use crate::plan::CorsPlan;

/// Response extension that marks the response to a preflight: its CORS headers are complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Preflight;

/// The CORS rules of one API, with prepared header values.
#[derive(Debug)]
pub(super) struct Cors {
    origins: Vec<String>,
    /// Headers of every response to an allowed origin.
    always: Vec<(HeaderName, HeaderValue)>,
    /// Further headers of the response to a preflight.
    preflight: Vec<(HeaderName, HeaderValue)>,
}

impl Cors {
    /// Prepares the header values of `plan`. A list that is not a valid header value is left out.
    #[must_use]
    pub(super) fn new(plan: &CorsPlan) -> Self {
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

    /// Whether a request is a preflight: OPTIONS with `Origin` and `Access-Control-Request-Method`.
    #[must_use]
    pub(super) fn is_preflight(head: &Parts) -> bool {
        head.method == Method::OPTIONS
            && head.headers.contains_key(ORIGIN)
            && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The response to a preflight: 204, with CORS headers if the origin is allowed.
    #[must_use]
    pub(super) fn preflight(&self, request: &HeaderMap) -> Response {
        let mut response = empty(StatusCode::NO_CONTENT);
        response.extensions_mut().insert(Preflight);
        if self.apply(request.get(ORIGIN), response.headers_mut()) {
            response.headers_mut().extend(self.preflight.iter().cloned());
        }
        response
    }

    /// Replaces every `Access-Control-*` header of a response. Returns whether the origin is allowed.
    pub(super) fn apply(&self, origin: Option<&HeaderValue>, response: &mut HeaderMap) -> bool {
        let of_the_function: Vec<HeaderName> =
            response.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
        for name in of_the_function {
            response.remove(name);
        }
        let Some(allowed) = origin.and_then(|origin| self.allowed_origin(origin)) else { return false };
        response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        response.extend(self.always.iter().cloned());
        true
    }

    /// The value of `Access-Control-Allow-Origin`: `*` if every origin is allowed, otherwise the origin
    /// itself.
    fn allowed_origin(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        let text = origin.to_str().ok()?;
        let lists = |pattern: &str| self.origins.iter().any(|allowed| allowed == pattern);
        if lists("*") {
            return Some(HeaderValue::from_static("*"));
        }
        let scheme = text.split_once("://").map(|(scheme, _)| format!("{scheme}://*"));
        (lists(text) || scheme.is_some_and(|pattern| lists(&pattern))).then(|| origin.clone())
    }
}
