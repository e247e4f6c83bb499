//! `GET /api/openapi.json` — returns the descriptions of the HTTP API and of the socket events.

use shared::error::Error;
use shared::lambda::http::{File, Reply, Request};

/// Answers 200 with the OpenAPI document, or on `/api/asyncapi.json` with the AsyncAPI document. `api-documents` makes
/// both.
///
/// # Errors
/// None; the documents are part of the binary.
pub async fn handle(request: Request) -> Result<Reply, Error> {
    let text = match request.route.ends_with("/asyncapi.json") {
        true => include_str!("../asyncapi.json"),
        false => include_str!("../openapi.json"),
    };
    let policy = "default-src 'none'; frame-ancestors 'none'".into();
    Ok(Reply::file(File { content_type: "application/json; charset=utf-8", text: text.into(), policy }))
}
