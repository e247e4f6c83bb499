//! `GET /` — serves the chat page, its scripts and its style sheet.
//!
//! Everything is in the binary. `app/` has the files as browsers get them: there is no build step and no bundler.

mod files;
mod settings;

use std::borrow::Cow;

use serde_json::json;
use shared::error::Error;
use shared::lambda::http::{File, Reply, Request};

pub use settings::Settings;

/// The route of the files in the folder `views`.
const VIEWS: &str = "GET /app/views/{file}";

/// Where the page reads the address of the WebSocket API.
const CONFIG: &str = "config.json";

/// Answers 200 with the page, or on `/app/{file}` and `/app/views/{file}` with one of its files; 304 when the client has
/// that version already.
///
/// # Errors
/// `NotFound` for any other file.
pub async fn handle(settings: &Settings, request: Request) -> Result<Reply, Error> {
    let folder = if request.route == VIEWS { "views/" } else { "" };
    let file = match request.path.get("file").map(|name| format!("{folder}{name}")) {
        None => page(settings),
        Some(path) if path == CONFIG => data("application/json; charset=utf-8", config(settings)),
        Some(path) => {
            let (content_type, text) = files::find(&path).ok_or(Error::NotFound("the file"))?;
            data(content_type, text)
        }
    };
    Ok(Reply::file(file).for_request(&request))
}

fn page(settings: &Settings) -> File {
    let policy = content_security_policy(settings).into();
    File { content_type: "text/html; charset=utf-8", text: files::PAGE.into(), policy }
}

/// What the page loads; opened by itself, it may load nothing.
fn data(content_type: &'static str, text: Cow<'static, str>) -> File {
    File { content_type, text, policy: "default-src 'none'; frame-ancestors 'none'".into() }
}

/// Scripts and styles come from this host only, none is inline, and no text can become markup: the page never uses
/// `innerHTML` and the like, so Trusted Types forbid them.
fn content_security_policy(settings: &Settings) -> String {
    let sockets = settings.socket_origin().map(|origin| format!(" {origin}")).unwrap_or_default();
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        &format!("connect-src 'self'{sockets}"),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    .join("; ")
}

fn config(settings: &Settings) -> Cow<'static, str> {
    json!({ "socketUrl": settings.socket_url }).to_string().into()
}
