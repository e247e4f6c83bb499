//! Where a request came from, and the key under which limits count its address.

use std::net::{IpAddr, Ipv6Addr};

/// The addresses of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The address that connected to the gateway.
    pub source_ip: &'a str,
    /// The header `X-Forwarded-For`. Each proxy adds the address that connected to it, and the gateway does too; what
    /// stands before that was sent by the client and may be invented.
    pub forwarded_for: Option<&'a str>,
}

impl<'a> Origin<'a> {
    /// The client's address, seen through `proxies` proxies of our own before the gateway. With fewer addresses than
    /// that in the header, it is the first of them.
    pub fn client(self, proxies: usize) -> &'a str {
        if proxies == 0 {
            return self.source_ip;
        }
        let forwarded = self.forwarded_for.unwrap_or_default().split(',').map(str::trim);
        let mut chain: Vec<&str> = forwarded.filter(|address| !address.is_empty()).collect();
        if chain.last() != Some(&self.source_ip) {
            chain.push(self.source_ip);
        }
        chain[chain.len().saturating_sub(1 + proxies)]
    }

    /// The key of the client's address. An IPv6 client is counted by its /64, because every subscriber has at least
    /// that many addresses (RFC 6177). Text that is no address is its own key, without spaces.
    pub fn limit_key(self, proxies: usize) -> String {
        let text = self.client(proxies);
        match text.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            Ok(IpAddr::V4(address)) => address.to_string(),
            Err(_) => text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).take(64).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[track_caller]
    fn check(source_ip: &str, forwarded_for: Option<&str>, proxies: usize, expected: &str) {
        assert_eq!(Origin { source_ip, forwarded_for }.limit_key(proxies), expected);
    }

    #[test]
    fn ipv6_clients_are_counted_by_their_64_bit_network() {
        check("2001:db8:1:2:3:4:5:6", None, 0, "2001:db8:1:2::/64");
        check("2001:db8:1:2:ffff::1", None, 0, "2001:db8:1:2::/64");
        check("2001:db8:1:3::1", None, 0, "2001:db8:1:3::/64");
        check("::ffff:192.0.2.1", None, 0, "192.0.2.1");
        check("192.0.2.1", None, 0, "192.0.2.1");
        check("not an address", None, 0, "notanaddress");
    }

    #[test]
    fn an_invented_forwarded_for_has_no_effect() {
        check("192.0.2.1", Some("203.0.113.9"), 0, "192.0.2.1");
        check("192.0.2.1", Some("203.0.113.9, 198.51.100.7, 192.0.2.1"), 1, "198.51.100.7");
        check("192.0.2.1", Some("203.0.113.9, 198.51.100.7, 198.51.100.8, 192.0.2.1"), 2, "198.51.100.7");
    }

    #[test]
    fn a_short_or_missing_header_gives_the_first_known_address() {
        check("192.0.2.1", None, 1, "192.0.2.1");
        check("192.0.2.1", Some("198.51.100.7"), 1, "198.51.100.7");
        check("192.0.2.1", Some(" , ,198.51.100.7,"), 5, "198.51.100.7");
    }
}
