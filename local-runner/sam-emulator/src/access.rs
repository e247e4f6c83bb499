//! Who may use the management endpoints: the Invoke API, `@connections` and `/_runner/*`.
//!
//! Any web page that a developer visits can send requests to this machine, and a page whose name resolves to
//! a loopback address (DNS rebinding) can also read the answers. Browsers say where a request comes from, in
//! `Host`, `Origin` and `Sec-Fetch-Site` (Fetch Metadata Request Headers, W3C). The AWS SDKs and the command
//! line send neither `Origin` nor `Sec-Fetch-Site`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use http::request::Parts;
use http::uri::Authority;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The rules of one port.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// `--allow-host`: further names of this machine, accepted in `Host`, and pages of these hosts, accepted
    /// in `Origin`.
    pub allowed_hosts: Vec<AllowedHost>,
    /// `--remote-management`: clients on other machines may use the management endpoints.
    pub remote_management: bool,
    /// `--check-websocket-origin`: the rules for `Host` and `Origin` also apply to WebSocket upgrades. API
    /// Gateway has no such rule: it leaves the check to `$connect`.
    pub check_websocket_origin: bool,
}

/// The value of `--allow-host`: `name`, for every port, or `name:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    name: String,
    port: Option<u16>,
}

impl FromStr for AllowedHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let authority = Authority::from_str(text).ok().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority
            .ok_or_else(|| format!("expected a host name like app.test or app.test:8080, found {text}"))?;
        Ok(Self { name: name(&authority), port: authority.port_u16() })
    }
}

impl AllowedHost {
    fn allows(&self, authority: &Authority) -> bool {
        self.name == name(authority) && self.port.is_none_or(|port| authority.port_u16() == Some(port))
    }
}

/// The two ends of a client's connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

impl Ends {
    /// Whether the client runs on this machine.
    fn is_on_this_machine(&self) -> bool {
        let peer = self.peer.ip().to_canonical();
        peer.is_loopback() || peer == self.local.ip().to_canonical()
    }

    /// Whether `host` names this machine: `localhost`, a loopback address, or the address that the client
    /// connected to. None of them can be a name that an attacker registers.
    fn names_this_machine(&self, host: &Authority) -> bool {
        let name = name(host);
        match name.parse::<IpAddr>() {
            Ok(ip) => {
                let ip = ip.to_canonical();
                ip.is_loopback() || ip.is_unspecified() || ip == self.local.ip().to_canonical()
            }
            Err(_) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The client is on another machine.
    RemoteClient,
    /// `Host` names no host of this machine.
    Host,
    /// `Origin` is not the origin of this port.
    Origin,
    /// `Sec-Fetch-Site` says that a page of another origin caused the request.
    Site,
}

impl Refusal {
    /// What to do about it, for the answer.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::RemoteClient => "only this machine may use this endpoint; see --remote-management",
            Self::Host | Self::Origin | Self::Site => {
                "this endpoint may not be used from this host or web page; see --allow-host"
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RemoteClient => "the client is on another machine",
            Self::Host => "the host is not this machine's",
            Self::Origin | Self::Site => "a web page of another origin sent it",
        })
    }
}

impl Access {
    /// Whether a request may use a management endpoint. Every method and every type of body counts.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(crate) fn check_management(&self, head: &Parts, ends: Ends) -> Result<(), Refusal> {
        if !self.remote_management && !ends.is_on_this_machine() {
            return Err(Refusal::RemoteClient);
        }
        self.check_origin(head, ends)
    }

    /// Whether a request may open a WebSocket.
    ///
    /// # Errors
    /// [`Refusal`], only with [`Access::check_websocket_origin`].
    pub(crate) fn check_websocket(&self, head: &Parts, ends: Ends) -> Result<(), Refusal> {
        if self.check_websocket_origin { self.check_origin(head, ends) } else { Ok(()) }
    }

    fn check_origin(&self, head: &Parts, ends: Ends) -> Result<(), Refusal> {
        let host = host(head)?;
        if host.as_ref().is_some_and(|host| !ends.names_this_machine(host) && !self.is_allowed(host)) {
            return Err(Refusal::Host);
        }
        let origin = single(&head.headers, &ORIGIN).map_err(|Several| Refusal::Origin)?;
        if let Some(origin) = origin {
            let origin = authority_of_origin(origin).ok_or(Refusal::Origin)?;
            if self.is_allowed(&origin) {
                return Ok(());
            }
            if host.is_none_or(|host| !host.as_str().eq_ignore_ascii_case(origin.as_str())) {
                return Err(Refusal::Origin);
            }
        }
        // A page's GET of another origin has no `Origin` in some modes, and always has this header.
        match single(&head.headers, &SEC_FETCH_SITE) {
            Ok(None | Some("same-origin" | "none")) => Ok(()),
            _ => Err(Refusal::Site),
        }
    }

    fn is_allowed(&self, host: &Authority) -> bool {
        self.allowed_hosts.iter().any(|allowed| allowed.allows(host))
    }
}

/// A header occurs more than once, or is not text.
struct Several;

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Several> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Several),
        (Some(_), Some(_)) => Err(Several),
    }
}

/// The host of a request; `None` when it names none, which no browser does. A target in absolute form must
/// agree with `Host`.
fn host(head: &Parts) -> Result<Option<Authority>, Refusal> {
    let header = single(&head.headers, &HOST).map_err(|Several| Refusal::Host)?;
    let header = header.map(|text| Authority::from_str(text).map_err(|_| Refusal::Host)).transpose()?;
    match (header, head.uri.authority()) {
        (Some(header), Some(target)) if header != *target => Err(Refusal::Host),
        (header, target) => Ok(header.or_else(|| target.cloned())),
    }
}

/// `https://app.test:8080` → `app.test:8080`; `None` for `null` and for anything but HTTP.
fn authority_of_origin(origin: &str) -> Option<Authority> {
    let (scheme, rest) = origin.split_once("://")?;
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_http.then(|| Authority::from_str(rest).ok())?
}

/// The host name in lower case, without brackets and without the dot of a fully qualified name.
fn name(authority: &Authority) -> String {
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::{Access, Ends, Refusal};

    fn check(access: &Access, headers: &[(&str, &str)], peer: &str) -> Result<(), Refusal> {
        let mut request = Request::post("/_runner/queues");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let ends = Ends { peer: peer.parse().unwrap(), local: "192.168.1.5:3000".parse().unwrap() };
        access.check_management(&request.body(()).unwrap().into_parts().0, ends)
    }

    #[test]
    fn requests_of_this_machine_are_accepted_and_those_of_foreign_hosts_and_pages_are_not() {
        let access = Access::default();
        let local = "127.0.0.1:50000";
        for (headers, expected) in [
            (&[][..], Ok(())),
            (&[("host", "127.0.0.1:3000")], Ok(())),
            (&[("host", "LOCALHOST.:3000")], Ok(())),
            (&[("host", "api.localhost")], Ok(())),
            (&[("host", "[::1]:3000")], Ok(())),
            (&[("host", "192.168.1.5:3000")], Ok(())),
            (&[("host", "localhost:3000"), ("origin", "http://localhost:3000")], Ok(())),
            (&[("host", "localhost:3000"), ("sec-fetch-site", "none")], Ok(())),
            (&[("host", "evil.example:3000")], Err(Refusal::Host)),
            (&[("host", "127.0.0.1.evil.example")], Err(Refusal::Host)),
            (&[("host", "192.168.1.6:3000")], Err(Refusal::Host)),
            (&[("host", "localhost"), ("host", "evil.example")], Err(Refusal::Host)),
            (&[("host", "a b")], Err(Refusal::Host)),
            (&[("host", "localhost:3000"), ("origin", "http://localhost:3001")], Err(Refusal::Origin)),
            (&[("host", "localhost:3000"), ("origin", "null")], Err(Refusal::Origin)),
            (&[("host", "localhost:3000"), ("origin", "file://localhost:3000")], Err(Refusal::Origin)),
            (&[("origin", "http://localhost:3000")], Err(Refusal::Origin)),
            (&[("host", "localhost:3000"), ("sec-fetch-site", "cross-site")], Err(Refusal::Site)),
            (&[("host", "localhost:3000"), ("sec-fetch-site", "same-site")], Err(Refusal::Site)),
        ] {
            assert_eq!(check(&access, headers, local), expected, "{headers:?}");
        }
    }

    #[test]
    fn an_allowed_host_is_accepted_as_host_and_as_origin() {
        let allowed_hosts = vec!["app.test".parse().unwrap(), "page.test:5173".parse().unwrap()];
        let access = Access { allowed_hosts, ..Access::default() };
        for (headers, expected) in [
            (&[("host", "app.test:3000")][..], Ok(())),
            (&[("host", "page.test:3000")], Err(Refusal::Host)),
            (&[("host", "localhost:3000"), ("origin", "https://app.test")], Ok(())),
            (
                &[
                    ("host", "localhost"),
                    ("origin", "http://page.test:5173"),
                    ("sec-fetch-site", "cross-site"),
                ],
                Ok(()),
            ),
            (&[("host", "localhost"), ("origin", "http://page.test:5174")], Err(Refusal::Origin)),
        ] {
            assert_eq!(check(&access, headers, "[::1]:1"), expected, "{headers:?}");
        }
        assert!("a/b".parse::<super::AllowedHost>().is_err());
        assert!("user@host".parse::<super::AllowedHost>().is_err());
    }

    #[test]
    fn clients_on_other_machines_are_refused_unless_remote_management_is_on() {
        let remote = Access { remote_management: true, ..Access::default() };
        let host = [("host", "192.168.1.5:3000")];
        for (peer, expected) in [
            ("127.0.0.1:1", Ok(())),
            ("[::ffff:127.0.0.1]:1", Ok(())),
            ("192.168.1.5:1", Ok(())),
            ("192.168.1.6:1", Err(Refusal::RemoteClient)),
        ] {
            assert_eq!(check(&Access::default(), &host, peer), expected, "{peer}");
            assert_eq!(check(&remote, &host, peer), Ok(()), "{peer}");
        }
    }
}
