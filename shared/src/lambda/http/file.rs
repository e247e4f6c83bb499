//! Files of web pages: replies that are not the JSON envelope.

use std::borrow::Cow;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::Response;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderValue, IF_NONE_MATCH, VARY,
};
use lambda_http::Body;
use sha2::{Digest as _, Sha256};

/// A file of a web page, such as its HTML or its script. It is part of the function's binary.
#[derive(Debug, Clone)]
pub struct File {
    /// The media type with its charset.
    pub content_type: &'static str,
    /// At most 6 MB, the limit of a function's reply.
    pub text: Cow<'static, str>,
    /// The `Content-Security-Policy`: what the page may load, run and connect to.
    pub policy: Cow<'static, str>,
}

impl File {
    /// Whether `If-None-Match` names this version of the file, or is `*`.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        let etag = self.etag();
        let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(str::trim).any(|known| {
            // The comparison is weak (RFC 9110, 13.1.2): it ignores the mark of weak tags.
            known == "*" || known.trim_start_matches("W/") == etag.trim_start_matches("W/")
        })
    }

    /// Sets the headers of the file, which 304 has as well.
    pub(super) fn set_headers(&self, headers: &mut HeaderMap) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::from_str(&self.etag()) {
            headers.insert(ETAG, etag);
        }
        // A policy that is no header value leaves the strict one of all other responses.
        if let Ok(policy) = HeaderValue::from_str(&self.policy) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
    }

    /// Sets the body, compressed if `gzip`. API Gateway compresses nothing for an HTTP API.
    pub(super) fn set_body(self, response: &mut Response<Body>, gzip: bool) {
        match self.compressed().filter(|_| gzip) {
            Some(bytes) => {
                response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                *response.body_mut() = Body::Binary(bytes);
            }
            None => *response.body_mut() = Body::Text(self.text.into_owned()),
        }
    }

    fn compressed(&self) -> Option<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(self.text.as_bytes()).ok()?;
        encoder.finish().ok()
    }

    /// Identifies the text, by 128 bits of its SHA-256. It is weak, because it is the same with and without compression.
    fn etag(&self) -> String {
        let digest = Sha256::digest(self.text.as_bytes());
        let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("W/\"{hex}\"")
    }
}

/// Whether `Accept-Encoding` names gzip with a quality that is not 0.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(";q=").unwrap_or((coding, "1"));
        let is_refused = quality.trim().parse::<f32>().is_ok_and(|quality| quality == 0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}
