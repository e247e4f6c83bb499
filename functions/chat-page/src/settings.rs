//! Where the page finds the WebSocket API.

use shared::config::Env;
use shared::lambda::{Component, Fatal};

/// The settings of the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The URL of the WebSocket API with its stage; `None` when it has the page's own host, at `/socket.io/`.
    pub socket_url: Option<String>,
}

impl Settings {
    /// From `SOCKET_URL`, such as `wss://abc.execute-api.eu-central-1.amazonaws.com/live`.
    pub fn from_env(env: &mut Env) -> Self {
        let settings = Self { socket_url: env.optional("SOCKET_URL") };
        if settings.socket_url.is_some() && settings.socket_origin().is_none() {
            env.problem("SOCKET_URL must be a URL that begins with wss:// or ws://");
        }
        settings
    }

    /// The scheme and host of the WebSocket API, for the content security policy. A host with characters that could
    /// end a directive of the policy is no host.
    pub(crate) fn socket_origin(&self) -> Option<&str> {
        let url = self.socket_url.as_deref()?;
        let after_scheme = url.strip_prefix("wss://").or_else(|| url.strip_prefix("ws://"))?;
        let host = after_scheme.split('/').next()?;
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        let end = url.len() - after_scheme.len() + host.len();
        (!host.is_empty() && host.chars().all(is_host)).then(|| &url[..end])
    }
}

impl Component for Settings {
    type Config = Self;

    fn read(env: &mut Env) -> Self {
        Self::from_env(env)
    }

    async fn connect(config: Self) -> Result<Self, Fatal> {
        Ok(config)
    }
}
