//! The Lambda Runtime API (`2018-06-01`; Lambda guide, `runtimes-api`) of one instance, on a port of its own.
//! This module translates HTTP into [`ApiCall`]s; the instance decides what each call means in its state.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Collected, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use super::reply::{self, RuntimeFailure};
use crate::access::{Access, Ends};
use crate::endpoint::{self, Response};
use crate::invoke::FunctionError;
use crate::invoke::in_process::MAX_RESPONSE;

const PREFIX: &str = "/2018-06-01/runtime/";
const RESPONSE_MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");

/// One call of the function's runtime.
#[derive(Debug)]
pub(super) enum ApiCall {
    /// `GET /runtime/invocation/next`: the runtime waits for an event.
    Next(oneshot::Sender<Result<NextEvent, Refusal>>),
    /// `POST /runtime/invocation/{id}/response`, or `…/error`.
    Completed { request_id: String, result: Result<Bytes, RuntimeFailure>, answer: Answer },
    /// `POST /runtime/init/error`.
    InitError { failure: RuntimeFailure, answer: Answer },
}

/// Where the instance says whether a call was right.
pub(super) type Answer = oneshot::Sender<Result<(), Refusal>>;

/// Why the instance refuses a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 403: the call does not fit the state of the instance.
    InvalidState,
    /// 400: no invocation with this id runs.
    InvalidRequestId,
}

/// The answer to `next`: the event and its headers.
#[derive(Debug, Clone)]
pub(super) struct NextEvent {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) payload: Bytes,
}

/// The open port of one instance. Dropping it closes the port and every connection.
pub(super) struct RuntimeApi {
    /// The value of `AWS_LAMBDA_RUNTIME_API`: host and port, as on Lambda.
    pub(super) address: SocketAddr,
    pub(super) calls: mpsc::UnboundedReceiver<ApiCall>,
    _server: AbortOnDropHandle<()>,
}

impl RuntimeApi {
    /// Opens a free port of the loopback interface.
    pub(super) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, calls) = mpsc::unbounded_channel();
        let server = AbortOnDropHandle::new(tokio::spawn(accept(listener, address, sender)));
        Ok(Self { address, calls, _server: server })
    }
}

async fn accept(listener: TcpListener, local: SocketAddr, calls: mpsc::UnboundedSender<ApiCall>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let ends = Ends { peer, local };
                    connections.spawn(serve(socket, ends, calls.clone()));
                }
                Err(error) => tracing::warn!(%error, "the runtime api cannot accept a connection"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(socket: TcpStream, ends: Ends, calls: mpsc::UnboundedSender<ApiCall>) {
    // Without this, small responses would wait for more data. An error here shows at the next read.
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request| {
        let calls = calls.clone();
        async move { Ok::<_, Infallible>(respond(&calls, request, ends).await) }
    });
    // A connection that breaks off belongs to a process that ends, which the instance sees for itself.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
}

async fn respond(
    calls: &mpsc::UnboundedSender<ApiCall>,
    request: http::Request<Incoming>,
    ends: Ends,
) -> Response {
    let (head, body) = request.into_parts();
    // Only browsers send these headers, and no page has business here: it could take events away.
    let is_from_browser = head.headers.contains_key(ORIGIN) || head.headers.contains_key("sec-fetch-site");
    if is_from_browser || Access::default().check_management(&head, ends).is_err() {
        return problem(StatusCode::FORBIDDEN, "ForbiddenOrigin", "the runtime api serves no web pages");
    }
    if head.uri.path() == "/2018-06-01/ping" || head.uri.path() == "/ping" {
        return plain("pong");
    }
    let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default().to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    match (&head.method, segments.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(calls).await,
        (&Method::POST, ["invocation", id, "response"]) => response(calls, &head, body, id).await,
        (&Method::POST, ["invocation", id, "error"]) => {
            let failure = failure(&head.headers, body).await;
            completed(calls, id, Err(failure)).await
        }
        (&Method::POST, ["init", "error"]) => {
            let failure = failure(&head.headers, body).await;
            call(calls, |answer| ApiCall::InitError { failure, answer }).await
        }
        _ => problem(StatusCode::NOT_FOUND, "NotFound", "the runtime api has no such operation"),
    }
}

/// Holds the request until there is an event: a client takes no other answer.
async fn next(calls: &mpsc::UnboundedSender<ApiCall>) -> Response {
    let (sender, event) = oneshot::channel();
    if calls.send(ApiCall::Next(sender)).is_err() {
        return ended();
    }
    match event.await {
        Ok(Ok(event)) => {
            let mut response = endpoint::json(StatusCode::OK, event.payload);
            for (name, value) in event.headers {
                if let Ok(value) = HeaderValue::try_from(value) {
                    response.headers_mut().insert(HeaderName::from_static(name), value);
                }
            }
            response
        }
        Ok(Err(refusal)) => refused(refusal),
        Err(_) => ended(),
    }
}

async fn response(
    calls: &mpsc::UnboundedSender<ApiCall>,
    head: &Parts,
    body: Incoming,
    id: &str,
) -> Response {
    let is_streaming = match head.headers.get(RESPONSE_MODE).map(HeaderValue::as_bytes) {
        None => false,
        Some(mode) if mode.eq_ignore_ascii_case(b"streaming") => true,
        Some(_) => {
            let message = "the response mode must be streaming";
            return problem(StatusCode::BAD_REQUEST, "InvalidFunctionResponseMode", message);
        }
    };
    let whole = match Limited::new(body, MAX_RESPONSE).collect().await {
        Ok(whole) => whole,
        Err(error) if error.is::<LengthLimitError>() => return too_large(calls, id).await,
        // The process has ended in the middle of its response.
        Err(_) => return ended(),
    };
    completed(calls, id, result(&head.headers, is_streaming, whole)).await
}

/// The result of an invocation. A stream may report an error in its trailers, after its body.
fn result(headers: &HeaderMap, is_streaming: bool, whole: Collected<Bytes>) -> Result<Bytes, RuntimeFailure> {
    if let Some(failure) = whole.trailers().and_then(RuntimeFailure::from_trailers) {
        return Err(failure);
    }
    let body = whole.to_bytes();
    if !is_streaming {
        return Ok(body);
    }
    match RuntimeFailure::from_stream_end(&body) {
        Some(failure) => Err(failure),
        None => Ok(reply::from_stream(headers.get(CONTENT_TYPE), body)),
    }
}

async fn too_large(calls: &mpsc::UnboundedSender<ApiCall>, id: &str) -> Response {
    let error = FunctionError::too_large(MAX_RESPONSE);
    let message = error.message.clone();
    let answer = completed(calls, id, Err(RuntimeFailure::from(error))).await;
    if answer.status() != StatusCode::ACCEPTED {
        return answer;
    }
    problem(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
}

async fn failure(headers: &HeaderMap, body: Incoming) -> RuntimeFailure {
    let body = Limited::new(body, MAX_RESPONSE).collect().await;
    RuntimeFailure::new(headers, body.map(Collected::to_bytes).unwrap_or_default())
}

async fn completed(
    calls: &mpsc::UnboundedSender<ApiCall>,
    id: &str,
    result: Result<Bytes, RuntimeFailure>,
) -> Response {
    let request_id = id.to_owned();
    call(calls, |answer| ApiCall::Completed { request_id, result, answer }).await
}

async fn call(calls: &mpsc::UnboundedSender<ApiCall>, make: impl FnOnce(Answer) -> ApiCall) -> Response {
    let (answer, answered) = oneshot::channel();
    if calls.send(make(answer)).is_err() {
        return ended();
    }
    match answered.await {
        Ok(Ok(())) => endpoint::json(StatusCode::ACCEPTED, "{\"status\":\"OK\"}"),
        Ok(Err(refusal)) => refused(refusal),
        Err(_) => ended(),
    }
}

fn refused(refusal: Refusal) -> Response {
    match refusal {
        Refusal::InvalidState => problem(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "the call does not fit the state of the execution environment",
        ),
        Refusal::InvalidRequestId => {
            problem(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
        }
    }
}

/// The instance is being ended. A runtime must exit after this answer.
fn ended() -> Response {
    problem(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "the execution environment has ended")
}

fn problem(status: StatusCode, kind: &str, message: &str) -> Response {
    endpoint::json(status, json!({ "errorMessage": message, "errorType": kind }).to_string())
}

fn plain(text: &'static str) -> Response {
    Response::new(Full::new(Bytes::from_static(text.as_bytes())))
}
