//! `Functions` on Lambda's Invoke API: one signed POST. The SDK for Lambda is not used: it describes some
//! ninety operations, which every function that pushes would have to compile and carry for this one.

use std::time::SystemTime;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use shared::config::Env;
use shared::error::{Cause, StoreError};
use shared::lambda::{Component, Fatal};
use shared::ports::{Functions, StoreResult};
use tokio::time::{sleep, timeout};

use crate::credentials::{credentials, region};
use crate::endpoint::Endpoint;
use crate::failure::{answered, chain};
use crate::transport::{BOUND, PAUSE, TRIES, Transport};

/// The name by which failures call it, and the service that a signature names.
const LAMBDA: &str = "lambda";

const INVOCATION_TYPE: &str = "x-amz-invocation-type";

/// Lambda's asynchronous invoke, for a function that starts others and pushes nothing.
///
/// Every call ends within 3 s and is tried at most twice: again after a refusal (429, 5xx) or a broken
/// connection. Lambda itself may run an event twice, so that an event queued twice is nothing new.
pub struct Lambda {
    endpoint: Endpoint,
    region: String,
    prefix: String,
    signer: Identity,
    transport: Transport,
}

impl Lambda {
    /// From the variables that the crate's page lists; problems are left with `env`. Sends and reads
    /// nothing yet.
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

    /// Until it is queued, or was refused for good or too often.
    async fn queue(&self, uri: &str, event: &str) -> Result<(), Cause> {
        let mut left = TRIES;
        loop {
            left -= 1;
            match self.once(uri, event).await {
                Err(refusal) if refusal.for_now && left > 0 => sleep(PAUSE).await,
                answer => return answer.map_err(|refusal| refusal.cause),
            }
        }
    }

    async fn once(&self, uri: &str, event: &str) -> Result<(), Refusal> {
        let request = self.request(uri, event).map_err(|cause| Refusal { for_now: false, cause })?;
        let answer = self.transport.call(request).await;
        let answer = answer.map_err(|error| Refusal { for_now: true, cause: chain(&error).into() })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let for_now = status.as_u16() == 429 || status.is_server_error();
        Err(Refusal { for_now, cause: answered(&answer).into() })
    }

    /// The signed request; signed anew for every try, as a signature names its second.
    fn request(&self, uri: &str, event: &str) -> Result<HttpRequest, Cause> {
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
        let name = encoded(&format!("{}{function}", self.prefix));
        let uri = format!("{}/2015-03-31/functions/{name}/invocations", self.endpoint.base());
        let event = event.to_string();
        match timeout(BOUND, Box::pin(self.queue(&uri, &event))).await {
            Ok(answer) => answer.map_err(|cause| StoreError::down(LAMBDA, cause)),
            Err(elapsed) => Err(StoreError::down(LAMBDA, elapsed)),
        }
    }
}

/// Why an event was not queued.
struct Refusal {
    /// The same may be queued in a moment.
    for_now: bool,
    cause: Cause,
}

/// The Invoke API's address: as configured, `beside` another stand-in on this machine, or AWS's own.
pub(crate) fn endpoint(env: &mut Env, beside: Option<Endpoint>) -> Endpoint {
    for name in ["AWS_ENDPOINT_URL_LAMBDA", "LAMBDA_ENDPOINT"] {
        let Some(text) = env.optional(name) else { continue };
        match Endpoint::parse(&text) {
            Ok(endpoint) => return endpoint,
            Err(problem) => env.problem(format!("{name} {problem}")),
        }
    }
    beside.unwrap_or_else(|| Endpoint::aws(LAMBDA, &env.optional("AWS_REGION").unwrap_or_default()))
}

/// A name, or a whole ARN, as one segment of a path.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let letter = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.bytes().map(letter).collect()
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
