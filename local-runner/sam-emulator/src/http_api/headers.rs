//! Request and response headers at the gateway: which of them it drops, and how it counts their size.

use http::header::{CONNECTION, HeaderMap, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};

/// Whether a header belongs to one connection, so that the gateway does not pass it on (RFC 9110 §7.6.1).
pub(super) fn is_hop_by_hop(name: &HeaderName) -> bool {
    const OTHERS: [&str; 4] = ["keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"];
    [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE].contains(name) || OTHERS.contains(&name.as_str())
}

/// Bytes of the request line and all headers, which the gateway compares with its limit.
pub(super) fn head_bytes(head: &http::request::Parts) -> usize {
    let target = head.uri.path_and_query().map_or(1, |target| target.as_str().len());
    // `METHOD SP target SP HTTP/1.1 CRLF`, then `name: value CRLF` for each header.
    head.method.as_str().len() + target + 12 + header_bytes(&head.headers)
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}
