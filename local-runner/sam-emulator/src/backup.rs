//! The command `backup`: a consistent copy of the application's data, also while the emulator serves. Served at
//! `/_runner/backup`, because only the process that serves has the data open.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::body;
use crate::client;
use crate::endpoint::{Audience, Endpoint, Request, Response, json as json_response, message};
use crate::invoke::BoxFuture;
use crate::output::BoxError;

/// The path of [`BackupEndpoint`]: POST with `{"file": "/an/absolute/path"}`, which must not exist.
pub const PATH: &str = "/_runner/backup";

/// Bytes of a request body; every path is shorter.
const MAX_BODY: usize = 16 * 1024;

/// Writes backups; the application implements it.
pub trait Backup: Send + Sync + 'static {
    /// Writes a consistent copy of the data to a file that does not exist.
    ///
    /// # Errors
    /// The file exists, or cannot be written.
    fn write(&self, file: PathBuf) -> BoxFuture<Result<(), BoxError>>;
}

#[derive(Serialize, Deserialize)]
struct BackupRequest {
    file: PathBuf,
}

/// Serves [`Backup::write`] at [`PATH`].
pub struct BackupEndpoint(pub Arc<dyn Backup>);

impl Endpoint for BackupEndpoint {
    fn audience(&self, _head: &Parts) -> Audience {
        Audience::Management
    }

    fn matches(&self, head: &Parts) -> bool {
        head.uri.path() == PATH
    }

    fn serve(&self, request: Request, _peer: SocketAddr) -> BoxFuture<Response> {
        let backup = Arc::clone(&self.0);
        Box::pin(async move {
            if request.method() != Method::POST {
                return message(StatusCode::METHOD_NOT_ALLOWED, "use POST to write a backup");
            }
            let (head, body) = request.into_parts();
            let body = body::read(&head.headers, body, MAX_BODY).await.ok();
            let request = body.and_then(|body| serde_json::from_slice::<BackupRequest>(&body.bytes).ok());
            let Some(BackupRequest { file }) = request.filter(|request| request.file.is_absolute()) else {
                return message(StatusCode::BAD_REQUEST, "the body must be {file}, an absolute path");
            };
            match backup.write(file).await {
                Ok(()) => json_response(StatusCode::CREATED, "{}"),
                Err(error) => {
                    let body = json!({ "message": error.to_string() });
                    json_response(StatusCode::CONFLICT, body.to_string())
                }
            }
        })
    }
}

/// Writes a backup through the emulator at `address`; `None` when none runs there, or its data needs no backup.
///
/// # Errors
/// The emulator cannot write the file; the text is its own.
pub(crate) async fn write_remotely(address: SocketAddr, file: &Path) -> Result<Option<()>, BoxError> {
    let request = serde_json::to_vec(&BackupRequest { file: file.to_owned() })?;
    match client::send(address, Method::POST, PATH, Bytes::from(request)).await? {
        Some(response) if response.status() == StatusCode::CREATED => Ok(Some(())),
        Some(response) if response.status() == StatusCode::CONFLICT => {
            let error: serde_json::Value = serde_json::from_slice(response.body())?;
            Err(error["message"].as_str().unwrap_or("the backup failed").to_owned().into())
        }
        _ => Ok(None),
    }
}
