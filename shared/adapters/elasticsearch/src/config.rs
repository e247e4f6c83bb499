//! Where the server is, who we are to it, and what our index is called there.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use shared::config::Env;

/// The index unless another one is configured.
const INDEX: &str = "ulak-messages";

/// Where to send requests. Its Debug names server and index, never the password.
#[derive(Clone)]
pub struct Config {
    /// Scheme, host, port and path, without a `/` at the end.
    pub(crate) base: String,
    /// What proves who we are; marked as sensitive.
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) index: String,
}

impl Config {
    /// `https://` (the peer checked against the web's roots) or `http://`, with user and password
    /// percent-encoded, and an index name of lower-case letters, digits, `-`, `_` or `.`. The error says what
    /// is wrong and repeats no secret.
    pub fn new(url: &str, index: &str) -> Result<Self, String> {
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        if index.len() > 200
            || !index.bytes().all(letters)
            || index.trim_start_matches(['-', '_', '.']) != index
        {
            return Err("the index must be up to 200 lower-case letters, digits, '-', '_' or '.'".to_owned());
        }
        let uri: Uri = url.trim().parse().map_err(|_| "not a URL".to_owned())?;
        let (Some(scheme @ ("http" | "https")), Some(authority), None) =
            (uri.scheme_str(), uri.authority(), uri.query())
        else {
            return Err("not an http:// or https:// URL without a query".to_owned());
        };
        let (user, host) = match authority.as_str().rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority.as_str()),
        };
        let base = format!("{scheme}://{host}{}", uri.path().trim_end_matches('/'));
        let authorization = user.map(basic).transpose()?;
        Ok(Self { base, authorization, index: index.to_owned() })
    }

    /// From the variables that [`Search::from_env`](crate::Search::from_env) names.
    pub fn from_env(env: &mut Env) -> Self {
        let what = "where Elasticsearch or OpenSearch is, as https://[user:password@]host[:port]";
        let url = env.required("ELASTICSEARCH_URL", what);
        let index = env.optional("ELASTICSEARCH_INDEX").unwrap_or_else(|| INDEX.to_owned());
        Self::new(&url, &index).unwrap_or_else(|problem| {
            if !url.is_empty() {
                env.problem(format!("ELASTICSEARCH_URL or ELASTICSEARCH_INDEX: {problem}"));
            }
            // Nobody gets as far as sending anything there: `env` has refused it.
            Self { base: String::new(), authorization: None, index: INDEX.to_owned() }
        })
    }
}

/// `Authorization: Basic …` for the `user:password` of a URL.
fn basic(user: &str) -> Result<HeaderValue, String> {
    let plain = decoded(user).ok_or("user and password must be percent-encoded")?;
    let text = format!("Basic {}", STANDARD.encode(plain));
    let mut value = HeaderValue::from_str(&text).map_err(|_| "not a user".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Percent-decoded bytes; `None` where a `%` begins no byte.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
        }
    }
    Some(bytes)
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("base", &self.base).field("index", &self.index).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use shared::config::Env;

    use super::{Config, INDEX};

    #[test]
    fn user_and_password_go_where_they_belong() {
        let config = Config::new("https://ada:p%40ss%3A@es.example:9243/search/", "live").unwrap();
        assert_eq!(config.authorization.as_ref().unwrap(), "Basic YWRhOnBAc3M6");
        let shown = format!("{config:?} {:?}", config.authorization);
        assert_eq!(
            shown,
            r#"Config { base: "https://es.example:9243/search", index: "live", .. } Some(Sensitive)"#
        );
        assert_eq!(Config::new("http://[::1]:9200", INDEX).unwrap().base, "http://[::1]:9200");
    }

    #[test]
    fn nonsense_is_refused_and_no_secret_repeated() {
        for (url, index) in [
            ("ftp://ada:hunter2@es.example", INDEX),
            ("https://ada:hunter2%@es.example", INDEX),
            ("https://ada:hunter2%zz@es.example", INDEX),
            ("https://ada:hunter2@es.example?x=1", INDEX),
            ("ada:hunter2@es.example", INDEX),
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
    fn what_the_environment_lacks_is_told() {
        for (url, told) in [("", "ELASTICSEARCH_URL is missing"), ("ftp://x", "ELASTICSEARCH_URL or")] {
            let mut env = Env::of([("ELASTICSEARCH_URL".to_owned(), url.to_owned())]);
            Config::from_env(&mut env);
            let problem = env.finish().unwrap_err().to_string();
            assert!(problem.contains(told), "{problem}");
        }
    }
}
