//! The connection settings: the broker's URL and the retry delays.

use std::fmt;
use std::time::Duration;

use lapin::uri::AMQPUri;
use shared::config::Env;
use shared::retry::RETRY_DELAYS;

/// The AMQP heartbeat timeout in seconds, unless the URL sets one. A frame is sent every half of it.
const HEARTBEAT_SECONDS: u16 = 10;

/// The broker and the retry delays. `Debug` prints the host and the virtual host, never the password.
#[derive(Clone)]
pub struct Config {
    pub(crate) uri: AMQPUri,
    pub(crate) retry_delays: Vec<Duration>,
}

impl Config {
    /// Takes an `amqp://` or `amqps://` URL (TLS, checked against the public web roots). Its path is the
    /// percent-encoded virtual host; an empty path means `/`.
    ///
    /// # Errors
    /// Says what is wrong. It never repeats the URL, which may contain a password.
    pub fn new(url: &str) -> Result<Self, String> {
        let mut uri: AMQPUri = url.parse().map_err(|_| "the URL must be amqp://… or amqps://…".to_owned())?;
        if uri.vhost.is_empty() {
            // Strictly, `amqp://host/` names the virtual host with the empty name, which is never meant.
            "/".clone_into(&mut uri.vhost);
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        Ok(Self { uri, retry_delays: RETRY_DELAYS.to_vec() })
    }

    /// Reads `AMQP_URL`. Problems are recorded in `env`.
    pub fn from_env(env: &mut Env) -> Self {
        let purpose = "the RabbitMQ broker, as amqp://user:password@host[:port][/virtual-host]";
        let url = env.required("AMQP_URL", purpose);
        Self::new(&url).unwrap_or_else(|problem| {
            if !url.is_empty() {
                env.problem(format!("AMQP_URL: {problem}"));
            }
            // With a problem in `env`, the process stops before it connects.
            Self { uri: AMQPUri::default(), retry_delays: RETRY_DELAYS.to_vec() }
        })
    }

    /// Replaces the [default delays](RETRY_DELAYS). Each delay has its own retry queue.
    #[must_use]
    pub fn with_retry_delays(mut self, delays: &[Duration]) -> Self {
        self.retry_delays = delays.to_vec();
        self
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = format!("{}:{}", self.uri.authority.host, self.uri.authority.port);
        f.debug_struct("Config")
            .field("address", &address)
            .field("vhost", &self.uri.vhost)
            .field("retry_delays", &self.retry_delays)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use shared::config::Env;

    use super::Config;

    #[test]
    fn debug_and_errors_hide_the_password() {
        let config = Config::new("amqps://user:hunter2@mq.example/live").unwrap().with_retry_delays(&[]);
        let text = format!("{config:?}");
        assert_eq!(text, r#"Config { address: "mq.example:5671", vhost: "live", retry_delays: [], .. }"#);
        let problem = Config::new("http://user:hunter2@mq.example").unwrap_err();
        assert!(!problem.contains("hunter2"), "{problem}");
    }

    #[test]
    fn the_path_of_the_url_is_the_virtual_host() {
        for (path, vhost) in
            [("", "/"), ("/", "/"), ("/%2f", "/"), ("/a%2Fb", "a/b"), ("/live?heartbeat=3", "live")]
        {
            assert_eq!(Config::new(&format!("amqp://localhost{path}")).unwrap().uri.vhost, vhost, "{path}");
        }
    }

    #[test]
    fn a_missing_or_malformed_url_is_reported_by_its_variable() {
        for (url, expected) in
            [("", "AMQP_URL is missing"), ("redis://x", "AMQP_URL: the URL must be amqp://")]
        {
            let mut env = Env::of([("AMQP_URL".to_owned(), url.to_owned())]);
            Config::from_env(&mut env);
            let problem = env.finish().unwrap_err().to_string();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
