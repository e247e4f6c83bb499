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
use shared::id::ConnectionId;
use shared::lambda::{Component, Fatal};
use shared::ports::{Functions, Push, PushError, StoreResult};

use crate::credentials::{credentials, region};
use crate::endpoint::Endpoint;
use crate::failure::{answered, chain};
use crate::invoke::{self, Lambda};
use crate::transport::{BOUND, PAUSE, TRIES, Transport};

/// `@connections` of one stage, and with it [`Lambda`], over the same connections. One for the life of a
/// process, shared by reference.
///
/// Every call ends within 3 s and is tried at most twice: again after a refusal (429, 5xx) or a broken
/// connection, never after silence. A frame whose answer was lost may therefore arrive twice.
pub struct Gateway {
    client: Client,
    lambda: Lambda,
}

impl Gateway {
    /// From the variables that the crate's page lists; problems are left with `env`. Sends and reads
    /// nothing yet.
    pub fn from_env(env: &mut Env) -> Self {
        let what = "where to push, as https://{domain}/{stage} or http://127.0.0.1:3000/live";
        let text = env.required("PUSH_ENDPOINT", what);
        let endpoint = Endpoint::parse(&text).map_err(|problem| {
            if !text.is_empty() {
                env.problem(format!("PUSH_ENDPOINT {problem}"));
            }
        });
        let beside = endpoint.as_ref().ok().filter(|endpoint| endpoint.is_local()).map(Endpoint::origin);
        let invoke_api = invoke::endpoint(env, beside);
        let local = invoke_api.is_local() && endpoint.as_ref().is_ok_and(Endpoint::is_local);
        let (region, credentials) = (region(env, local), credentials(env, local));
        let transport = Transport::default();
        // With a problem in `env` nobody gets as far as sending anything anywhere.
        let base = endpoint.as_ref().map_or("", |endpoint| endpoint.base());
        let client = client(base, &region, &credentials, &transport);
        Self { client, lambda: Lambda::new(env, invoke_api, region, credentials, transport) }
    }
}

fn client(endpoint: &str, region: &str, credentials: &Credentials, transport: &Transport) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials.clone())
        // The keys are plain values: there is nothing that a cache would save.
        .identity_cache(IdentityCache::no_cache())
        .endpoint_url(endpoint)
        .http_client(transport.client())
        // No bound on one try alone: after silence the frame may be there, so it is not sent again.
        .timeout_config(TimeoutConfig::builder().operation_timeout(BOUND).build())
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES).with_initial_backoff(PAUSE))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    Client::from_conf(config.build())
}

#[async_trait]
impl Push for Gateway {
    async fn send(&self, id: &ConnectionId, frame: &str) -> Result<(), PushError> {
        let post = self.client.post_to_connection().connection_id(id.as_str()).data(Blob::new(frame));
        // Boxed: the SDK's futures are large, and a fan-out holds many.
        Box::pin(post.send()).await.map(drop).map_err(|error| refused(&error))
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        let delete = self.client.delete_connection().connection_id(id.as_str());
        Box::pin(delete.send()).await.map(drop).map_err(|error| refused(&error))
    }
}

#[async_trait]
impl Functions for Gateway {
    async fn start(&self, function: &str, event: &Value) -> StoreResult<()> {
        self.lambda.start(function, event).await
    }
}

/// Goes by the status alone: AWS's 410 has a body that is no JSON, which the SDK takes for an unknown error.
fn refused<E: std::error::Error + 'static>(error: &SdkError<E, HttpResponse>) -> PushError {
    let Some(response) = error.raw_response() else { return PushError::Failed(chain(error).into()) };
    match response.status().as_u16() {
        410 => PushError::Gone,
        413 => PushError::TooLarge,
        429 => PushError::Busy,
        _ => PushError::Failed(answered(response).into()),
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
