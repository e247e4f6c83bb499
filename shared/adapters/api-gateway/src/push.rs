//! `Push` on API Gateway's `@connections`, through the AWS SDK.

use async_trait::async_trait;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::config::{
    BehaviorVersion, Credentials, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_apigatewaymanagement::{Client, Config};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::Value;
use shared::config::Env;
use shared::deadline;
use shared::id::ConnectionId;
use shared::lambda::{Component, Fatal};
use shared::ports::{Functions, Push, PushError, StoreResult};

use crate::credentials::{credentials, region};
use crate::endpoint::Endpoint;
use crate::failure::{describe_response, error_chain};
use crate::invoke::{self, Lambda};
use crate::transport::{CALL_TIMEOUT, MAX_TRIES, RETRY_PAUSE, Transport};

/// `@connections` of one stage, and [`Lambda`] over the same connection pool. One instance serves the whole
/// process.
///
/// Every call ends within 3 s and is tried at most twice: again after status 429 or 5xx or a broken connection,
/// never after a timeout. A frame whose response was lost may therefore arrive twice.
pub struct Gateway {
    client: Client,
    lambda: Lambda,
}

impl Gateway {
    /// Reads the variables that the crate documentation lists. Problems are recorded in `env`. Does not
    /// connect yet.
    pub fn from_env(env: &mut Env) -> Self {
        let purpose =
            "the API Gateway stage to push to, as https://{domain}/{stage} or http://127.0.0.1:3000/live";
        let text = env.required("PUSH_ENDPOINT", purpose);
        let endpoint = Endpoint::parse(&text).map_err(|problem| {
            if !text.is_empty() {
                env.problem(format!("PUSH_ENDPOINT {problem}"));
            }
        });
        let local_origin =
            endpoint.as_ref().ok().filter(|endpoint| endpoint.is_local()).map(Endpoint::origin);
        let invoke_api = invoke::endpoint(env, local_origin);
        let local = invoke_api.is_local() && endpoint.as_ref().is_ok_and(Endpoint::is_local);
        let (region, credentials) = (region(env, local), credentials(env, local));
        let transport = Transport::default();
        // With a problem in `env`, the process stops before it sends anything.
        let base_url = endpoint.as_ref().map_or("", |endpoint| endpoint.base());
        let client = client(base_url, &region, &credentials, &transport);
        Self { client, lambda: Lambda::new(env, invoke_api, region, credentials, transport) }
    }
}

fn client(base_url: &str, region: &str, credentials: &Credentials, transport: &Transport) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials.clone())
        // The credentials are plain values, so a cache would save nothing.
        .identity_cache(IdentityCache::no_cache())
        .endpoint_url(base_url)
        .http_client(transport.client())
        // No timeout per try: after a timeout the frame may have arrived, so it must not be sent again.
        .timeout_config(TimeoutConfig::builder().operation_timeout(CALL_TIMEOUT).build())
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_TRIES).with_initial_backoff(RETRY_PAUSE))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    Client::from_conf(config.build())
}

#[async_trait]
impl Push for Gateway {
    async fn send(&self, id: &ConnectionId, frame: &str) -> Result<(), PushError> {
        let post = self.client.post_to_connection().connection_id(id.as_str()).data(Blob::new(frame));
        // Boxed, because the SDK's futures are large and a fan-out holds many of them.
        within_invocation(Box::pin(post.send())).await
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        let delete = self.client.delete_connection().connection_id(id.as_str());
        within_invocation(Box::pin(delete.send())).await
    }
}

#[async_trait]
impl Functions for Gateway {
    async fn start(&self, function: &str, event: &Value) -> StoreResult<()> {
        self.lambda.start(function, event).await
    }
}

/// Waits for a call, which the client limits, until the invocation ends at most.
async fn within_invocation<T, E: std::error::Error + 'static>(
    call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<(), PushError> {
    match tokio::time::timeout(deadline::limit(CALL_TIMEOUT), call).await {
        Ok(answer) => answer.map(drop).map_err(|error| push_error(&error)),
        Err(elapsed) => Err(PushError::Failed(elapsed.into())),
    }
}

/// Maps an error by its HTTP status alone: AWS's 410 has a body that is not JSON, so the SDK does not recognise it.
fn push_error<E: std::error::Error + 'static>(error: &SdkError<E, HttpResponse>) -> PushError {
    let Some(response) = error.raw_response() else { return PushError::Failed(error_chain(error).into()) };
    match response.status().as_u16() {
        410 => PushError::Gone,
        413 => PushError::TooLarge,
        429 => PushError::Busy,
        _ => PushError::Failed(describe_response(response).into()),
    }
}

impl Component for Gateway {
    type Config = Self;

    fn read(env: &mut Env) -> Self {
        Self::from_env(env)
    }

    async fn connect(config: Self) -> Result<Self, Fatal> {
        Ok(config)
    }
}
