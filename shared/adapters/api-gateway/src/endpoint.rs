//! Where a service is. Only this machine is spoken to in the clear: a signed request carries the session's
//! token, and a frame is somebody's private message.

use std::net::IpAddr;

use http::Uri;

/// A checked address: `https://…`, or `http://…` on this machine; never with a `/` at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    base: String,
    local: bool,
}

impl Endpoint {
    /// Parses; the message says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let base = text.trim().trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|_| "is not a URL".to_owned())?;
        let authority = uri.authority().ok_or("has no host")?;
        if uri.query().is_some() || authority.as_str().contains('@') {
            return Err("must be scheme, host, port and path, nothing else".to_owned());
        }
        let local = is_local(authority.host());
        match uri.scheme_str() {
            Some("https") => Ok(Self { base: base.to_owned(), local: false }),
            Some("http") if local => Ok(Self { base: base.to_owned(), local }),
            _ => Err("must begin with https://, or with http:// and lie on this machine".to_owned()),
        }
    }

    /// AWS's own for a service in a region.
    pub(crate) fn aws(service: &str, region: &str) -> Self {
        Self { base: format!("https://{service}.{region}.amazonaws.com"), local: false }
    }

    /// Whether it is the plain port of something on this machine, which can only be a stand-in for AWS.
    pub(crate) fn is_local(&self) -> bool {
        self.local
    }

    /// Scheme, host, port and path.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The same without the path.
    pub(crate) fn origin(&self) -> Self {
        let host = self.base.find("://").map_or(0, |at| at + 3);
        let end = self.base[host..].find('/').map_or(self.base.len(), |at| host + at);
        Self { base: self.base[..end].to_owned(), local: self.local }
    }
}

/// `localhost`, `127.x.x.x` or `[::1]`.
fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for (text, local) in [
            ("https://abc.execute-api.eu-west-1.amazonaws.com/live", Some(false)),
            ("https://127.0.0.1:3000", Some(false)),
            ("http://127.0.0.1:3000/live/", Some(true)),
            ("http://localhost:3000", Some(true)),
            ("http://[::1]:3000/live", Some(true)),
            ("http://10.0.0.1/live", None),
            ("http://127.0.0.1.example.com", None),
            ("wss://abc.execute-api.eu-west-1.amazonaws.com/live", None),
            ("https://user:secret@example.com", None),
            ("https://example.com/live?x=1", None),
            ("/live", None),
            ("a b", None),
            ("", None),
        ] {
            let parsed = Endpoint::parse(text);
            assert_eq!(parsed.as_ref().ok().map(Endpoint::is_local), local, "{text}: {parsed:?}");
        }
    }

    #[test]
    fn the_origin_is_what_stands_before_the_path() {
        for (text, origin) in [
            ("http://127.0.0.1:3000/live", "http://127.0.0.1:3000"),
            ("http://[::1]:3000/a/b/", "http://[::1]:3000"),
            ("https://example.com", "https://example.com"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().origin().base(), origin);
        }
    }
}
