//! The one pool of connections, shared by the SDK's client and the Invoke API: HTTP over TLS by rustls with
//! ring and the system's roots. Nothing is opened or read before the first call.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;

/// The longest that any call may take, further tries included.
pub(crate) const BOUND: Duration = Duration::from_secs(3);

/// How often a call is tried. Once more is for a pooled connection that died while the sandbox was frozen,
/// and for a short throttle; whoever waits for us has better things to do than to wait for a third.
pub(crate) const TRIES: u32 = 2;

/// The pause before the second try.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);

/// The longest that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(60);

/// A handle on the pool.
#[derive(Clone, Default)]
pub(crate) struct Transport(Arc<OnceLock<SharedHttpConnector>>);

impl Transport {
    /// The pool as the SDK takes it.
    pub(crate) fn client(&self) -> SharedHttpClient {
        let pool = self.clone();
        http_client_fn(move |_, _| pool.connector())
    }

    /// Sends one request, once.
    pub(crate) async fn call(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        self.connector().call(request).await
    }

    fn connector(&self) -> SharedHttpConnector {
        self.0.get_or_init(connector).clone()
    }
}

fn connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).build();
    let builder = Connector::builder().connector_settings(settings).pool_idle_timeout(IDLE);
    SharedHttpConnector::new(builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).build())
}
