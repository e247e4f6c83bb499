//! The way to the server: pooled HTTP/1.1, TLS by rustls with ring and the web's roots. Nothing that goes
//! through here takes longer than its bound, or reads more than [`LARGEST`].

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::error::{Cause, StoreError};
use shared::ports::StoreResult;

use crate::STORE;
use crate::config::Config;

/// The longest that a request may take, connecting and a second try included.
pub(crate) const BOUND: Duration = Duration::from_secs(5);

/// The longest that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// The most bytes of an answer. A page of hits and the answer to a batch are far smaller.
const LARGEST: usize = 4 * 1024 * 1024;

/// What a body is.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Json,
    /// One JSON text per line, as `_bulk` wants them.
    Lines,
}

/// What is sent, as often as it takes.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// From `/` on.
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) body: Bytes,
    pub(crate) bound: Duration,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    body: Bytes,
}

pub(crate) struct Link {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    authorization: Option<HeaderValue>,
}

impl Link {
    pub(crate) fn new(config: Config) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector());
        Self { client, base: config.base, authorization: config.authorization }
    }

    /// Any answer, whatever its status; `Down` when none came in time.
    pub(crate) async fn call(&self, call: &Call) -> StoreResult<Answer> {
        match tokio::time::timeout(call.bound, Box::pin(self.send(call))).await {
            Ok(answer) => answer.map_err(|cause| StoreError::down(STORE, cause)),
            Err(elapsed) => Err(StoreError::down(STORE, elapsed)),
        }
    }

    async fn send(&self, call: &Call) -> Result<Answer, Cause> {
        let sent = match self.client.request(self.request(call)?).await {
            // A pooled connection may have died while nobody looked, in a frozen sandbox above all.
            Err(error) if !error.is_connect() => self.client.request(self.request(call)?).await,
            sent => sent,
        };
        let (head, body) = sent.map_err(|error| chain(&error))?.into_parts();
        let body = Limited::new(body, LARGEST).collect().await?.to_bytes();
        Ok(Answer { status: head.status, body })
    }

    fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>, http::Error> {
        let kind = match call.kind {
            Kind::Json => "application/json",
            Kind::Lines => "application/x-ndjson",
        };
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.base, call.path))
            .header(CONTENT_TYPE, kind);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.body(Full::new(call.body.clone()))
    }
}

impl Answer {
    /// The body of a success; anything else is `Down`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> StoreResult<T> {
        if !self.status.is_success() {
            return Err(self.refusal());
        }
        serde_json::from_slice(&self.body).map_err(|error| StoreError::Corrupt(STORE, error.into()))
    }

    /// This answer as a failure.
    pub(crate) fn refusal(&self) -> StoreError {
        let kind = self.error_type().unwrap_or_else(|| "without a reason".to_owned());
        StoreError::down(STORE, format!("answered {} {kind}", self.status.as_u16()))
    }

    /// The server's name for an error. Its longer explanation may quote what somebody wrote, so it is not read.
    pub(crate) fn error_type(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Body {
            error: ErrorType,
        }
        serde_json::from_slice::<Body>(&self.body).ok().map(|body| body.error.kind)
    }
}

/// The `type` of an error object.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorType {
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

fn connector() -> HttpsConnector<HttpConnector> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    #[expect(clippy::unwrap_used, reason = "ring has suites for both versions of TLS")]
    let tls = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(ring).unwrap();
    tls.https_or_http().enable_http1().wrap_connector(tcp)
}

/// An error with its causes on one line.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}
