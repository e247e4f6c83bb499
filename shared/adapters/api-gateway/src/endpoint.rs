//! The address of a service. Plain HTTP is allowed on this machine only: a signed request contains the session
//! token, and a frame contains a private message.

use std::net::IpAddr;

use http::Uri;

/// A checked URL: `https://…`, or `http://…` on this machine, without a trailing `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    base: String,
    local: bool,
}

impl Endpoint {
    /// # Errors
    /// Says what is wrong, to be read after the name of the variable.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let base = text.trim().trim_end_matches('/');
        let uri: Uri =
            base.parse().map_err(|_| "is not a URL; write it as https://{host}/{path}".to_owned())?;
        let authority = uri.authority().ok_or("has no host; write it as https://{host}/{path}")?;
        if uri.query().is_some() || authority.as_str().contains('@') {
            return Err("must contain only a scheme, a host, a port and a path".to_owned());
        }
        let local = is_local(authority.host());
        match uri.scheme_str() {
            Some("https") => Ok(Self { base: base.to_owned(), local: false }),
            Some("http") if local => Ok(Self { base: base.to_owned(), local }),
            _ => Err("must start with https://; http:// is allowed only for localhost, 127.x.x.x and [::1]"
                .to_owned()),
        }
    }

    /// AWS's endpoint of a service in a region.
    pub(crate) fn aws(service: &str, region: &str) -> Self {
        Self { base: format!("https://{service}.{region}.amazonaws.com"), local: false }
    }

    /// Whether it is plain HTTP on this machine, and therefore a stand-in for AWS.
    pub(crate) fn is_local(&self) -> bool {
        self.local
    }

    /// Scheme, host, port and path.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The endpoint without its path.
    pub(crate) fn origin(&self) -> Self {
        let host_start = self.base.find("://").map_or(0, |at| at + 3);
        let end = self.base[host_start..].find('/').map_or(self.base.len(), |at| host_start + at);
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
    fn plain_http_is_accepted_on_this_machine_only() {
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
    fn the_origin_is_the_url_without_its_path() {
        for (text, origin) in [
            ("http://127.0.0.1:3000/live", "http://127.0.0.1:3000"),
            ("http://[::1]:3000/a/b/", "http://[::1]:3000"),
            ("https://example.com", "https://example.com"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().origin().base(), origin);
        }
    }
}
