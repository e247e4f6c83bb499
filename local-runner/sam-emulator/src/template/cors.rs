//! CORS of HTTP APIs, REST APIs and function URLs → [`CorsPlan`].

use super::context::Context;
use super::error::TemplateError;
use super::node::{Cursor, Node};
use crate::plan::CorsPlan;

/// `CorsConfiguration` of an HTTP API, `Cors` of a REST API (whose values have quotes of their own), or
/// `x-amazon-apigateway-cors`: a map, `true` for every origin, or one origin.
pub(crate) fn read_cors(context: &Context<'_>, at: &Cursor<'_>) -> Result<Option<CorsPlan>, TemplateError> {
    if let Node::Text(text) = at.node {
        let origins = match text.to_lowercase().as_str() {
            "false" => return Ok(None),
            "true" => vec!["*".to_owned()],
            _ => unquoted(text),
        };
        return Ok(Some(CorsPlan { allow_origins: origins, ..CorsPlan::default() }));
    }
    const READ: &[&str] = &[
        "AllowCredentials",
        "AllowHeaders",
        "AllowMethods",
        "AllowOrigin",
        "AllowOrigins",
        "ExposeHeaders",
        "MaxAge",
    ];
    let openapi: Vec<String> = READ.iter().map(|key| lower_first(key)).collect();
    let both: Vec<&str> = READ.iter().copied().chain(openapi.iter().map(String::as_str)).collect();
    context.findings.only(at, &both, &[]);
    let get = |key: &str| at.get(key).or_else(|| at.get(&lower_first(key)));
    let list = |key: &str| -> Result<Vec<String>, TemplateError> {
        let Some(list) = get(key) else { return Ok(Vec::new()) };
        Ok(list.texts()?.iter().flat_map(|text| unquoted(text)).collect())
    };
    let mut origins = list("AllowOrigins")?;
    origins.extend(list("AllowOrigin")?);
    let max_age = get("MaxAge").map(|age| read_max_age(&age)).transpose()?;
    let cors = CorsPlan {
        allow_origins: origins,
        allow_methods: list("AllowMethods")?.iter().map(|method| method.to_uppercase()).collect(),
        allow_headers: list("AllowHeaders")?,
        expose_headers: list("ExposeHeaders")?,
        allow_credentials: get("AllowCredentials").map_or(Ok(false), |value| value.boolean())?,
        max_age,
    };
    if cors.allow_credentials && cors.allow_origins.iter().any(|origin| origin == "*") {
        return Err(
            at.error("AllowCredentials cannot be combined with the origin *; list the allowed origins")
        );
    }
    Ok(Some(cors))
}

fn lower_first(key: &str) -> String {
    let (first, rest) = key.split_at(1);
    format!("{}{rest}", first.to_lowercase())
}

/// The items of `'GET,POST'`, which REST APIs write with quotes inside the text.
fn unquoted(text: &str) -> Vec<String> {
    let text = text.trim_matches(['\'', '"']);
    text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// Seconds; a REST API writes them as `'600'`.
fn read_max_age(at: &Cursor<'_>) -> Result<u64, TemplateError> {
    let plain = Node::text(at.text()?.trim_matches(['\'', '"']));
    Cursor::new(&plain, at.path.clone()).number(0, 86_400)
}
