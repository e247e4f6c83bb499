//! The parts of a route: method, path, payload format and timeout, with the ranges of API Gateway.

use std::time::Duration;

use super::context::{text, text_or};
use super::declared::RouteAuth;
use super::error::TemplateError;
use super::node::Cursor;
use crate::http_api::route;
use crate::plan::{HttpApiKind, HttpRoutePlan};

/// A route without an authorizer.
pub(crate) fn plan(
    method: &str,
    path: &str,
    function: &str,
    timeout: Duration,
    payload_format: &str,
) -> HttpRoutePlan {
    HttpRoutePlan {
        method: method.to_owned(),
        path: path.to_owned(),
        function: function.to_owned(),
        timeout,
        payload_format: payload_format.to_owned(),
        authorizer: None,
    }
}

/// The method in upper case, or `ANY`.
pub(crate) fn read_method(at: &Cursor<'_>) -> Result<String, TemplateError> {
    let text = at.text()?;
    method(text).ok_or_else(|| {
        at.error(format!(
            "`{text}` is not supported; use GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS or ANY"
        ))
    })
}

/// The method of a template's text in upper case; `None` for anything else.
pub(crate) fn method(text: &str) -> Option<String> {
    let method = text.to_uppercase();
    match method.as_str() {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "ANY" => Some(method),
        // ANY in OpenAPI documents, and SAM's older name of it.
        "X-AMAZON-APIGATEWAY-ANY-METHOD" | "*" => Some("ANY".to_owned()),
        _ => None,
    }
}

/// A path in the form of [`HttpRoutePlan::path`].
pub(crate) fn read_path(at: &Cursor<'_>, text: &str) -> Result<String, TemplateError> {
    route::check_path(text).map_err(|what| at.error(what))?;
    Ok(route::without_trailing_slash(text).to_owned())
}

/// `1.0` or `2.0`.
pub(crate) fn read_format(at: &Cursor<'_>, key: &str, default: &str) -> Result<String, TemplateError> {
    let format = text_or(at, key, default)?;
    match format.as_str() {
        "1.0" | "2.0" => Ok(format),
        other => Err(at.error(format!("{key} must be 1.0 or 2.0, found `{other}`"))),
    }
}

/// The time that a route waits for its function: the limit of the API by default. A REST API may have a quota
/// above 29 s.
pub(crate) fn read_timeout(at: &Cursor<'_>, key: &str, kind: HttpApiKind) -> Result<Duration, TemplateError> {
    let (default, max) = match kind {
        HttpApiKind::Rest => (29_000, 900_000),
        _ => (30_000, 30_000),
    };
    Ok(Duration::from_millis(at.get(key).map_or(Ok(default), |value| value.number(50, max))?))
}

/// `Auth` of an event.
pub(crate) fn read_auth(at: &Cursor<'_>) -> Result<RouteAuth, TemplateError> {
    let Some(auth) = at.get("Auth") else { return Ok(RouteAuth::default()) };
    let scopes = auth.get("AuthorizationScopes").map(|scopes| scopes.texts()).transpose()?;
    Ok(RouteAuth { authorizer: text(&auth, "Authorizer")?, scopes })
}
