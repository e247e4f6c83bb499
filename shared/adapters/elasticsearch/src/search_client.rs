//! The HTTP client: pooled HTTP/1.1, TLS by rustls with ring and the public web roots. Every request has a time
//! limit, and no response may be larger than [`MAX_RESPONSE_BYTES`].

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
use shared::deadline;
use shared::error::{Cause, StoreError};
use shared::ports::StoreResult;

use crate::STORE;
use crate::config::Config;

/// Limits a request, including connecting and a second try.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an idle connection stays in the pool.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A page of hits and the response to a batch are far smaller.
const MAX_RESPONSE_BYTES: usize = 4 * 1024 * 1024;

#[derive(Clone, Copy)]
pub(crate) enum BodyFormat {
    Json,
    /// One JSON document per line, as `_bulk` requires.
    JsonLines,
}

/// A request that can be sent repeatedly.
pub(crate) struct ApiRequest {
    pub(crate) method: Method,
    /// The path and query, starting with `/`.
    pub(crate) path: String,
    pub(crate) format: BodyFormat,
    pub(crate) body: Bytes,
    pub(crate) timeout: Duration,
}

pub(crate) struct ApiResponse {
    pub(crate) status: StatusCode,
    body: Bytes,
}

pub(crate) struct SearchClient {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base_url: String,
    authorization: Option<HeaderValue>,
}

impl SearchClient {
    pub(crate) fn new(config: Config) -> Self {
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector());
        Self { http, base_url: config.base_url, authorization: config.authorization }
    }

    /// Returns any response, whatever its status.
    ///
    /// # Errors
    /// `Down` when there is no response in time.
    pub(crate) async fn send(&self, request: &ApiRequest) -> StoreResult<ApiResponse> {
        match tokio::time::timeout(deadline::limit(request.timeout), Box::pin(self.try_send(request))).await {
            Ok(response) => response.map_err(|cause| StoreError::down(STORE, cause)),
            Err(elapsed) => Err(StoreError::down(STORE, elapsed)),
        }
    }

    async fn try_send(&self, request: &ApiRequest) -> Result<ApiResponse, Cause> {
        let sent = match self.http.request(self.http_request(request)?).await {
            // The server may have closed a pooled connection, for example while the sandbox was frozen. A
            // second try is safe, because repeating any of our requests changes nothing.
            Err(error) if !error.is_connect() => self.http.request(self.http_request(request)?).await,
            sent => sent,
        };
        let (head, body) = sent.map_err(|error| error_chain(&error))?.into_parts();
        let body = Limited::new(body, MAX_RESPONSE_BYTES).collect().await?.to_bytes();
        Ok(ApiResponse { status: head.status, body })
    }

    fn http_request(&self, request: &ApiRequest) -> Result<Request<Full<Bytes>>, http::Error> {
        let content_type = match request.format {
            BodyFormat::Json => "application/json",
            BodyFormat::JsonLines => "application/x-ndjson",
        };
        let mut builder = Request::builder()
            .method(request.method.clone())
            .uri(format!("{}{}", self.base_url, request.path))
            .header(CONTENT_TYPE, content_type);
        if let Some(authorization) = &self.authorization {
            builder = builder.header(AUTHORIZATION, authorization);
        }
        builder.body(Full::new(request.body.clone()))
    }
}

impl ApiResponse {
    /// Decodes the body of a successful response.
    ///
    /// # Errors
    /// `Down` for any other status, `Corrupt` when the body cannot be decoded.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> StoreResult<T> {
        if !self.status.is_success() {
            return Err(self.to_error());
        }
        serde_json::from_slice(&self.body).map_err(|error| StoreError::Corrupt(STORE, error.into()))
    }

    /// `Down`, with the status and the error type.
    pub(crate) fn to_error(&self) -> StoreError {
        let error_type = self.error_type().unwrap_or_else(|| "without an error type".to_owned());
        StoreError::down(STORE, format!("HTTP status {} {error_type}", self.status.as_u16()))
    }

    /// The server's name for the error. Its `reason` is not read, because it may quote a message's text.
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
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    #[expect(clippy::unwrap_used, reason = "ring has suites for both versions of TLS")]
    let tls = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(ring).unwrap();
    tls.https_or_http().enable_http1().wrap_connector(tcp)
}

/// An error and its causes on one line, separated by colons.
fn error_chain(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", error_chain(cause)),
        None => error.to_string(),
    }
}
