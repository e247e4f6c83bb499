//! The path of a request as the gateway decodes it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::options::HttpApiOptions;

/// Decodes `%XX`, as the event's `rawPath` shows the path. Bytes that are not UTF-8 become U+FFFD, and `+`
/// stays a plus.
pub(super) fn decode(path: &str, options: HttpApiOptions) -> Cow<'_, str> {
    if options.decodes_slashes {
        return percent_decode_str(path).decode_utf8_lossy();
    }
    let mut rest = path;
    let mut out = String::new();
    while let Some(at) = rest.find("%2F").or_else(|| rest.find("%2f")) {
        let at = rest[..at].find("%2f").unwrap_or(at);
        out.push_str(&percent_decode_str(&rest[..at]).decode_utf8_lossy());
        out.push_str("%2F");
        rest = &rest[at + 3..];
    }
    out.push_str(&percent_decode_str(rest).decode_utf8_lossy());
    out.into()
}

/// The value of a path parameter, in which every slash is decoded.
pub(super) fn parameter(decoded: &str, options: HttpApiOptions) -> String {
    if options.decodes_slashes { decoded.to_owned() } else { decoded.replace("%2F", "/") }
}

#[cfg(test)]
mod tests {
    use super::{HttpApiOptions, decode, parameter};

    #[test]
    fn encoded_slashes_are_decoded_or_kept() {
        let keep = HttpApiOptions { decodes_slashes: false, ..HttpApiOptions::default() };
        for (path, decoded, kept) in [
            ("/a%20b/c", "/a b/c", "/a b/c"),
            ("/a%2Fb%2fc%2F", "/a/b/c/", "/a%2Fb%2Fc%2F"),
            ("/%C3%BC%2f%ff%", "/ü/\u{fffd}%", "/ü%2F\u{fffd}%"),
            ("/a%252Fb", "/a%2Fb", "/a%2Fb"),
        ] {
            assert_eq!(decode(path, HttpApiOptions::default()), decoded);
            assert_eq!(decode(path, keep), kept);
        }
        assert_eq!(parameter("a%2Fb", keep), "a/b");
        assert_eq!(parameter("a%2Fb", HttpApiOptions::default()), "a%2Fb");
    }
}
