//! Where RabbitMQ is, and how long a failed job waits.

use std::fmt;
use std::time::Duration;

use lapin::uri::AMQPUri;
use shared::config::Env;

/// How long a job waits after its first, second, third and fourth failure. The last one holds for all later ones.
const RETRY_DELAYS: [Duration; 4] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
];

/// Seconds of silence after half of which the other side is asked whether it is still there.
const HEARTBEAT: u16 = 10;

/// Where to connect to. Its Debug names host and virtual host, never the password.
#[derive(Clone)]
pub struct Config {
    pub(crate) uri: AMQPUri,
    pub(crate) retry_delays: Vec<Duration>,
}

impl Config {
    /// `amqp://` or `amqps://` (TLS, the peer checked against the web's roots), with the virtual host as
    /// the path: none or `/%2f` is `/`. The error says what is wrong and repeats no secret.
    pub fn new(url: &str) -> Result<Self, String> {
        let mut uri: AMQPUri = url.parse().map_err(|_| "not an amqp:// or amqps:// URL".to_owned())?;
        if uri.vhost.is_empty() {
            // `amqp://host/` strictly names a virtual host without a name, which nobody has.
            "/".clone_into(&mut uri.vhost);
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        Ok(Self { uri, retry_delays: RETRY_DELAYS.to_vec() })
    }

    /// From `AMQP_URL`; a problem is left with `env`.
    pub fn from_env(env: &mut Env) -> Self {
        let what = "where RabbitMQ is, as amqp://user:password@host[:port][/virtual-host]";
        let url = env.required("AMQP_URL", what);
        Self::new(&url).unwrap_or_else(|problem| {
            if !url.is_empty() {
                env.problem(format!("AMQP_URL: {problem}"));
            }
            Self { uri: AMQPUri::default(), retry_delays: RETRY_DELAYS.to_vec() }
        })
    }

    /// Other delays than 10 s, 30 s, 2 min and 10 min; one retry queue each.
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
    fn debug_and_errors_keep_the_password() {
        let config = Config::new("amqps://user:hunter2@mq.example/live").unwrap().with_retry_delays(&[]);
        let text = format!("{config:?}");
        assert_eq!(text, r#"Config { address: "mq.example:5671", vhost: "live", retry_delays: [], .. }"#);
        let problem = Config::new("http://user:hunter2@mq.example").unwrap_err();
        assert!(!problem.contains("hunter2"), "{problem}");
    }

    #[test]
    fn the_virtual_host_is_the_path() {
        for (path, vhost) in
            [("", "/"), ("/", "/"), ("/%2f", "/"), ("/a%2Fb", "a/b"), ("/live?heartbeat=3", "live")]
        {
            assert_eq!(Config::new(&format!("amqp://localhost{path}")).unwrap().uri.vhost, vhost, "{path}");
        }
    }

    #[test]
    fn what_the_environment_lacks_is_told() {
        for (url, told) in [("", "AMQP_URL is missing"), ("redis://x", "AMQP_URL: not an amqp://")] {
            let mut env = Env::of([("AMQP_URL".to_owned(), url.to_owned())]);
            Config::from_env(&mut env);
            let problem = env.finish().unwrap_err().to_string();
            assert!(problem.contains(told), "{problem}");
        }
    }
}
