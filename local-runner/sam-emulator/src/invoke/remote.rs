//! The invoker that forwards every invocation to another Invoke API (`--mode remote=URL`): `cargo lambda
//! watch`, another emulator, or another instance of this one.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{BoxFuture, FunctionError, Invocation, InvokeError, Invoker};
use crate::plan::Plan;

/// What is added to a function's timeout before the connection counts as lost. `cargo lambda watch` compiles
/// a function at its first call.
const GRACE: Duration = Duration::from_secs(600);
/// Idle connections that are kept.
const MAX_IDLE: usize = 32;

/// The URL of an Invoke API: `http://host:port`, with a path before `/2015-03-31` if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUrl {
    authority: String,
    path: String,
}

impl FromStr for RemoteUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("{text} is not a URL: {error}"))?;
        match (uri.scheme_str(), uri.authority()) {
            (Some("http"), Some(authority)) => {
                let path = uri.path().trim_end_matches('/').to_owned();
                let port = if authority.port().is_some() { "" } else { ":80" };
                Ok(Self { authority: format!("{authority}{port}"), path })
            }
            _ => Err(format!(
                "{text}: the URL of an Invoke API without TLS is needed, like http://127.0.0.1:9000"
            )),
        }
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

/// Forwards invocations. A clone is another handle on the same connections.
#[derive(Clone)]
pub struct Remote {
    inner: Arc<Inner>,
}

struct Inner {
    url: RemoteUrl,
    functions: BTreeMap<String, Function>,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

struct Function {
    timeout: Duration,
    /// The name of the binary, under which `cargo lambda watch` knows the function.
    binary: String,
}

impl Remote {
    /// Forwards the functions of `plan` to the Invoke API at `url`. Nothing is connected yet.
    #[must_use]
    pub fn new(plan: &Plan, url: RemoteUrl) -> Self {
        let functions = plan.functions.values().map(|function| {
            let binary = function.binary.clone();
            (function.name.clone(), Function { timeout: function.timeout, binary })
        });
        Self { inner: Arc::new(Inner { url, functions: functions.collect(), idle: Mutex::default() }) }
    }
}

impl Invoker for Remote {
    fn invoke(&self, call: Invocation) -> BoxFuture<Result<Bytes, InvokeError>> {
        let inner = Arc::clone(&self.inner);
        // A task of its own: a caller that stops waiting does not end the invocation.
        let task = tokio::spawn(async move { inner.invoke(call).await });
        Box::pin(async move { task.await.unwrap_or_else(|error| Err(unreachable_error(&error))) })
    }
}

impl Inner {
    async fn invoke(&self, call: Invocation) -> Result<Bytes, InvokeError> {
        let Some(function) = self.functions.get(&call.function) else {
            return Err(InvokeError::NotFound(call.function));
        };
        let limit = function.timeout + GRACE;
        let result = timeout(limit, async {
            let response = self.send(&call, &call.function).await?;
            if response.status() == StatusCode::NOT_FOUND && function.binary != call.function {
                return self.send(&call, &function.binary).await;
            }
            Ok(response)
        });
        match result.await {
            Ok(Ok(response)) => reply(&call, response),
            Ok(Err(error)) => Err(unreachable_error(&format!("{}: {error}", self.url.authority))),
            Err(_) => Err(FunctionError::timed_out(&call.request_id, limit).into()),
        }
    }

    async fn send(&self, call: &Invocation, name: &str) -> Result<http::Response<Bytes>, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let mut sender = self.connection().await?;
        let request = self.request(call, name).map_err(|error| text(&error))?;
        let response = sender.send_request(request).await.map_err(|error| text(&error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| text(&error))?.to_bytes();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(sender);
        }
        Ok(http::Response::from_parts(head, body))
    }

    /// An idle connection that is still open, or a new one.
    async fn connection(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut sender) = idle else { break };
            if sender.ready().await.is_ok() {
                return Ok(sender);
            }
        }
        let stream = TcpStream::connect(&self.url.authority).await.map_err(|error| error.to_string())?;
        // Without this, small requests would wait for more data. An error here shows at the first write.
        let _ = stream.set_nodelay(true);
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| error.to_string())?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to the remote invoke api failed");
            }
        });
        Ok(sender)
    }

    fn request(&self, call: &Invocation, name: &str) -> Result<Request<Full<Bytes>>, http::Error> {
        let path = format!("{}/2015-03-31/functions/{name}/invocations", self.url.path);
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(http::header::HOST, &self.url.authority)
            .header(http::header::CONTENT_TYPE, "application/json");
        if let Some(context) = &call.client_context {
            request = request.header("x-amz-client-context", STANDARD.encode(context));
        }
        if call.log_tail.is_some() {
            request = request.header("x-amz-log-type", "Tail");
        }
        request.body(Full::new(call.payload.clone()))
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ErrorBody {
    error_type: String,
    error_message: String,
}

/// The result that a response stands for.
fn reply(call: &Invocation, response: http::Response<Bytes>) -> Result<Bytes, InvokeError> {
    let (head, body) = response.into_parts();
    let log = head.headers.get("x-amz-log-result").and_then(|log| STANDARD.decode(log.as_bytes()).ok());
    if let (Some(tail), Some(log)) = (&call.log_tail, log) {
        tail.fill(&log);
    }
    if head.status == StatusCode::TOO_MANY_REQUESTS {
        return Err(InvokeError::Throttled);
    }
    let is_error = head.headers.contains_key("x-amz-function-error");
    if head.status.is_success() && !is_error {
        return Ok(body);
    }
    match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(error) if is_error || !error.error_type.is_empty() => Err(InvokeError::Function {
            error_type: error.error_type,
            message: error.error_message,
            payload: Some(body),
        }),
        _ => {
            let text = format!("{}: {}", head.status, String::from_utf8_lossy(&body));
            Err(unreachable_error(&text))
        }
    }
}

/// The remote side did not run the function.
fn unreachable_error(cause: &dyn std::fmt::Display) -> InvokeError {
    FunctionError::new("Runtime.RemoteUnavailable", format!("the remote Invoke API failed: {cause}")).into()
}
