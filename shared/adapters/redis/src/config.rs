//! The connection settings: the server's URL and the prefix of all keys.

use std::fmt;

use redis::io::tcp::TcpSettings;
use redis::{IntoConnectionInfo, ProtocolVersion};
use shared::config::Env;

const DEFAULT_PREFIX: &str = "ulak";

/// The server and the key prefix. `Debug` prints the address and the prefix, never the password.
#[derive(Clone)]
pub struct Config {
    pub(crate) client: redis::Client,
    pub(crate) prefix: String,
}

impl Config {
    /// Takes a `redis://` or `rediss://` URL (TLS, checked against the public web roots), and a prefix of 1-64
    /// letters, digits, `-`, `_`, `.` or `:`. Other characters could break the keys' hash tags.
    ///
    /// # Errors
    /// Says what is wrong. It never repeats the URL, which may contain a password.
    pub fn new(url: &str, prefix: &str) -> Result<Self, String> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
        if prefix.is_empty() || prefix.len() > 64 || !prefix.bytes().all(is_allowed) {
            return Err("the prefix must be 1-64 letters, digits, '-', '_', '.' or ':'".to_owned());
        }
        let info =
            url.into_connection_info().map_err(|_| "the URL must be redis://… or rediss://…".to_owned())?;
        // Without it, a small command waits for the acknowledgement of the commands before it.
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
        let info = info.set_redis_settings(settings);
        // An error means that the process has installed a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = redis::Client::open(info).map_err(|error| error.to_string())?;
        Ok(Self { client, prefix: prefix.to_owned() })
    }

    /// Reads `REDIS_URL` and `REDIS_PREFIX` (default `ulak`). Problems are recorded in `env`.
    pub fn from_env(env: &mut Env) -> Self {
        let url = env.required("REDIS_URL", "the Redis server, as redis://[user:password@]host[:port][/db]");
        let prefix = env.optional("REDIS_PREFIX").unwrap_or_else(|| DEFAULT_PREFIX.to_owned());
        Self::new(&url, &prefix).unwrap_or_else(|problem| {
            if !url.is_empty() {
                env.problem(format!("REDIS_URL or REDIS_PREFIX: {problem}"));
            }
            Self::placeholder()
        })
    }

    /// Returned with a problem in `env`; the process then stops before it connects.
    fn placeholder() -> Self {
        let address = redis::ConnectionAddr::Tcp("127.0.0.1".to_owned(), 6379);
        #[expect(clippy::unwrap_used, reason = "a plain TCP address is always a valid client")]
        let client = redis::Client::open(address).unwrap();
        Self { client, prefix: DEFAULT_PREFIX.to_owned() }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.client.get_connection_info().addr().to_string();
        f.debug_struct("Config")
            .field("address", &address)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use shared::config::Env;

    use super::Config;

    #[test]
    fn debug_and_errors_hide_the_password() {
        let config = Config::new("rediss://user:hunter2@cache.example:6380/1", "live").unwrap();
        let text = format!("{config:?}");
        assert_eq!(text, r#"Config { address: "cache.example:6380", prefix: "live", .. }"#);
        let problem = Config::new("http://user:hunter2@cache.example", "live").unwrap_err();
        assert!(!problem.contains("hunter2"), "{problem}");
    }

    #[test]
    fn a_prefix_is_rejected_when_it_is_empty_too_long_or_could_break_the_hash_tag() {
        for prefix in ["", "a b", "a}", "{a", &"a".repeat(65)] {
            assert!(Config::new("redis://localhost", prefix).is_err(), "{prefix:?}");
        }
    }

    #[test]
    fn a_missing_or_malformed_url_is_reported_by_its_variable() {
        for (url, expected) in [("", "REDIS_URL is missing"), ("ftp://x", "REDIS_URL or REDIS_PREFIX")] {
            let mut env = Env::of([("REDIS_URL".to_owned(), url.to_owned())]);
            Config::from_env(&mut env);
            let problem = env.finish().unwrap_err().to_string();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
