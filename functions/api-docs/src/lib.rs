//! `GET /api/docs` — returns the page to read and try the API, with its style and its script.

use shared::error::Error;
use shared::lambda::http::{File, Reply, Request};

/// The page loads its own files and the documents, calls the API that serves it, and nothing else. Its icon is empty.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers 200 with the page or, on `/api/docs/{file}`, with its style or its script.
///
/// # Errors
/// `NotFound` for any other file.
pub async fn handle(request: Request) -> Result<Reply, Error> {
    let (content_type, text) = match request.path.get("file").map(String::as_str) {
        None => ("text/html; charset=utf-8", include_str!("../page/page.html")),
        Some("page.css") => ("text/css; charset=utf-8", include_str!("../page/page.css")),
        Some("page.js") => ("text/javascript; charset=utf-8", include_str!("../page/page.js")),
        Some(_) => return Err(Error::NotFound("the file")),
    };
    Ok(Reply::file(File { content_type, text: text.into(), policy: POLICY.into() }).for_request(&request))
}
