//! `Functions` on Lambda's Invoke API: one signed POST. The SDK for Lambda is not used: every function that
//! pushes would have to compile and link its ninety operations for this one.

use std::time::SystemTime;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http::header::CONTENT_TYPE;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use shared::config::Env;
use shared::deadline;
use shared::error::{Cause, StoreError};
use shared::lambda::{Component, Fatal};
use shared::ports::{Functions, StoreResult};
use tokio::time::{sleep, timeout};

use crate::credentials::{credentials, region};
use crate::endpoint::Endpoint;
use crate::failure::{describe_response, error_chain};
use crate::transport::{CALL_TIMEOUT, MAX_TRIES, RETRY_PAUSE, Transport};

/// The store's name in errors, and the service in signatures and in AWS's host name.
const LAMBDA: &str = "lambda";

const INVOCATION_TYPE: &str = "x-amz-invocation-type";

/// All characters but RFC 3986's unreserved ones, so that a name or an ARN stays one path segment.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Lambda's asynchronous invoke, for functions that start others and push nothing.
///
/// Every call ends within 3 s and is tried at most twice: again after status 429 or 5xx or a broken connection.
/// The event may then be queued twice. Lambda may run an event twice anyway, so functions must expect that.
pub struct Lambda {
    endpoint: Endpoint,
    region: String,
    prefix: String,
    signer: Identity,
    transport: Transport,
}

impl Lambda {
    /// Reads the variables that the crate documentation lists. Problems are recorded in `env`. Does not
    /// connect yet.
    pub fn from_env(env: &mut Env) -> Self {
        let endpoint = endpoint(env, None);
        let local = endpoint.is_local();
        let (region, credentials) = (region(env, local), credentials(env, local));
        Self::new(env, endpoint, region, credentials, Transport::default())
    }

    pub(crate) fn new(
        env: &Env,
        endpoint: Endpoint,
        region: String,
        credentials: Credentials,
        transport: Transport,
    ) -> Self {
        let prefix = env.optional("FUNCTION_NAME_PREFIX").unwrap_or_default();
        Self { endpoint, region, prefix, signer: credentials.into(), transport }
    }

    /// Queues the event; tries again after an error that may pass.
    async fn invoke(&self, uri: &str, event: &str) -> Result<(), Cause> {
        let mut tries_left = MAX_TRIES;
        loop {
            tries_left -= 1;
            match self.try_invoke(uri, event).await {
                Err(error) if error.retryable && tries_left > 0 => sleep(RETRY_PAUSE).await,
                result => return result.map_err(|error| error.cause),
            }
        }
    }

    async fn try_invoke(&self, uri: &str, event: &str) -> Result<(), InvokeError> {
        let request =
            self.signed_request(uri, event).map_err(|cause| InvokeError { retryable: false, cause })?;
        let response = self.transport.call(request).await;
        let response =
            response.map_err(|error| InvokeError { retryable: true, cause: error_chain(&error).into() })?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let retryable = status.as_u16() == 429 || status.is_server_error();
        Err(InvokeError { retryable, cause: describe_response(&response).into() })
    }

    /// Each try needs its own signature, because a signature contains its time.
    fn signed_request(&self, uri: &str, event: &str) -> Result<HttpRequest, Cause> {
        let headers = [(CONTENT_TYPE.as_str(), "application/json"), (INVOCATION_TYPE, "Event")];
        let mut request = http::Request::post(uri).body(SdkBody::from(event))?;
        for (name, value) in headers {
            request.headers_mut().insert(name, http::HeaderValue::from_static(value));
        }
        let params = SigningParams::builder()
            .identity(&self.signer)
            .region(&self.region)
            .name(LAMBDA)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let body = SignableBody::Bytes(event.as_bytes());
        let signable = SignableRequest::new("POST", uri, headers.into_iter(), body)?;
        sign(signable, &params)?.into_parts().0.apply_to_request_http1x(&mut request);
        Ok(HttpRequest::try_from(request)?)
    }
}

#[async_trait]
impl Functions for Lambda {
    async fn start(&self, function: &str, event: &Value) -> StoreResult<()> {
        let name = format!("{}{function}", self.prefix);
        let name = utf8_percent_encode(&name, RESERVED);
        let uri = format!("{}/2015-03-31/functions/{name}/invocations", self.endpoint.base());
        let event = event.to_string();
        match timeout(deadline::limit(CALL_TIMEOUT), Box::pin(self.invoke(&uri, &event))).await {
            Ok(result) => result.map_err(|cause| StoreError::down(LAMBDA, cause)),
            Err(elapsed) => Err(StoreError::down(LAMBDA, elapsed)),
        }
    }
}

/// Why an event was not queued.
struct InvokeError {
    /// Whether a second try may succeed.
    retryable: bool,
    cause: Cause,
}

/// The Invoke API's address: the configured one, else `local_origin`, else AWS's endpoint of the region.
pub(crate) fn endpoint(env: &mut Env, local_origin: Option<Endpoint>) -> Endpoint {
    for name in ["AWS_ENDPOINT_URL_LAMBDA", "LAMBDA_ENDPOINT"] {
        let Some(text) = env.optional(name) else { continue };
        match Endpoint::parse(&text) {
            Ok(endpoint) => return endpoint,
            Err(problem) => env.problem(format!("{name} {problem}")),
        }
    }
    local_origin.unwrap_or_else(|| Endpoint::aws(LAMBDA, &env.optional("AWS_REGION").unwrap_or_default()))
}

impl Component for Lambda {
    type Config = Self;

    fn read(env: &mut Env) -> Self {
        Self::from_env(env)
    }

    async fn connect(config: Self) -> Result<Self, Fatal> {
        Ok(config)
    }
}
