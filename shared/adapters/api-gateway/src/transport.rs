//! The connection pool that the SDK's client and the Invoke API share: HTTP over TLS by rustls with ring and the
//! system's roots. Nothing is opened or read before the first call.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;

/// Limits a call, including a second try.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(3);

/// The tries of one call. The second one helps when a pooled connection was closed while the sandbox was frozen,
/// and after a short throttle. A third one would only delay the caller.
pub(crate) const MAX_TRIES: u32 = 2;

/// The pause before the second try.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_millis(50);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an idle connection stays in the pool.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A handle to the pool; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Transport(Arc<OnceLock<SharedHttpConnector>>);

impl Transport {
    /// The pool as an HTTP client for the SDK.
    pub(crate) fn client(&self) -> SharedHttpClient {
        let pool = self.clone();
        http_client_fn(move |_, _| pool.connector())
    }

    /// Sends a request without retries.
    pub(crate) async fn call(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        self.connector().call(request).await
    }

    fn connector(&self) -> SharedHttpConnector {
        self.0.get_or_init(connector).clone()
    }
}

fn connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let builder = Connector::builder().connector_settings(settings).pool_idle_timeout(IDLE_TIMEOUT);
    SharedHttpConnector::new(builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).build())
}
