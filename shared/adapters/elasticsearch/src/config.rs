//! The connection settings: the server's URL with credentials, and the name of the index.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use shared::config::Env;

const DEFAULT_INDEX: &str = "ulak-messages";

/// The server and the index. `Debug` prints the URL without credentials, and the index.
#[derive(Clone)]
pub struct Config {
    /// Scheme, host, port and path, without a trailing `/`.
    pub(crate) base_url: String,
    /// Marked as sensitive, so that no `Debug` output contains it.
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) index: String,
}

impl Config {
    /// Takes an `https://` URL (checked against the public web roots) or an `http://` URL, with a
    /// percent-encoded `user:password`, and an index name of lower-case letters, digits, `-`, `_` or `.`.
    ///
    /// # Errors
    /// Says what is wrong. It never repeats the URL, which may contain a password.
    pub fn new(url: &str, index: &str) -> Result<Self, String> {
        let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        if index.len() > 200
            || !index.bytes().all(is_allowed)
            || index.trim_start_matches(['-', '_', '.']) != index
        {
            let problem = "the index must be up to 200 lower-case letters, digits, '-', '_' or '.', and start with \
                a letter or digit";
            return Err(problem.to_owned());
        }
        let uri: Uri = url
            .trim()
            .parse()
            .map_err(|_| "the URL must be written as https://[user:password@]host[:port]".to_owned())?;
        let (Some(scheme @ ("http" | "https")), Some(authority), None) =
            (uri.scheme_str(), uri.authority(), uri.query())
        else {
            return Err("the URL must be http://… or https://…, without a query".to_owned());
        };
        let (userinfo, host) = match authority.as_str().rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, authority.as_str()),
        };
        let base_url = format!("{scheme}://{host}{}", uri.path().trim_end_matches('/'));
        let authorization = userinfo.map(basic_authorization).transpose()?;
        Ok(Self { base_url, authorization, index: index.to_owned() })
    }

    /// See [`Search::from_env`](crate::Search::from_env).
    pub fn from_env(env: &mut Env) -> Self {
        let purpose = "the Elasticsearch or OpenSearch server, as https://[user:password@]host[:port]";
        let url = env.required("ELASTICSEARCH_URL", purpose);
        let index = env.optional("ELASTICSEARCH_INDEX").unwrap_or_else(|| DEFAULT_INDEX.to_owned());
        Self::new(&url, &index).unwrap_or_else(|problem| {
            if !url.is_empty() {
                env.problem(format!("ELASTICSEARCH_URL or ELASTICSEARCH_INDEX: {problem}"));
            }
            // With a problem in `env`, the process stops before it connects.
            Self { base_url: String::new(), authorization: None, index: DEFAULT_INDEX.to_owned() }
        })
    }
}

/// The `Authorization` header for the percent-encoded `user:password` of a URL.
fn basic_authorization(userinfo: &str) -> Result<HeaderValue, String> {
    if !has_valid_escapes(userinfo) {
        return Err("user and password must be percent-encoded: write a literal % as %25".to_owned());
    }
    let credentials: Vec<u8> = percent_decode_str(userinfo).collect();
    let text = format!("Basic {}", STANDARD.encode(credentials));
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| "user and password cannot be sent as an HTTP header".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether two hex digits follow each `%`. The decoder would keep any other `%` as it is, but then the password
/// was most likely not encoded, and the server would reject it without a clear reason.
fn has_valid_escapes(text: &str) -> bool {
    let starts_with_hex =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    text.split('%').skip(1).all(starts_with_hex)
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("base_url", &self.base_url)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use shared::config::Env;

    use super::{Config, DEFAULT_INDEX};

    #[test]
    fn credentials_become_a_hidden_authorization_header() {
        let config = Config::new("https://ada:p%40ss%3A@es.example:9243/search/", "live").unwrap();
        assert_eq!(config.authorization.as_ref().unwrap(), "Basic YWRhOnBAc3M6");
        let shown = format!("{config:?} {:?}", config.authorization);
        assert_eq!(
            shown,
            r#"Config { base_url: "https://es.example:9243/search", index: "live", .. } Some(Sensitive)"#
        );
        assert_eq!(Config::new("http://[::1]:9200", DEFAULT_INDEX).unwrap().base_url, "http://[::1]:9200");
    }

    #[test]
    fn a_malformed_url_or_index_is_rejected_without_repeating_the_password() {
        for (url, index) in [
            ("ftp://ada:hunter2@es.example", DEFAULT_INDEX),
            ("https://ada:hunter2%@es.example", DEFAULT_INDEX),
            ("https://ada:hunter2%zz@es.example", DEFAULT_INDEX),
            ("https://ada:hunter2@es.example?x=1", DEFAULT_INDEX),
            ("ada:hunter2@es.example", DEFAULT_INDEX),
            ("https://ada:hunter2@es.example", "Upper"),
            ("https://ada:hunter2@es.example", "_all"),
            ("https://ada:hunter2@es.example", "a/../b"),
            ("https://ada:hunter2@es.example", "a,b*"),
            ("https://ada:hunter2@es.example", "."),
        ] {
            let problem = Config::new(url, index).unwrap_err();
            assert!(!problem.contains("hunter2"), "{url} {index}: {problem}");
        }
    }

    #[test]
    fn a_missing_or_malformed_url_is_reported_by_its_variable() {
        for (url, expected) in [("", "ELASTICSEARCH_URL is missing"), ("ftp://x", "ELASTICSEARCH_URL or")] {
            let mut env = Env::of([("ELASTICSEARCH_URL".to_owned(), url.to_owned())]);
            Config::from_env(&mut env);
            let problem = env.finish().unwrap_err().to_string();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
