//! Percent-decoding as the gateway does it. Never fails: what is no escape stays as it is.

use std::borrow::Cow;

/// Decodes `%XX` in a path; `+` stays a plus.
pub(crate) fn decode_path(text: &str) -> Cow<'_, str> {
    if text.contains('%') { decode(text.as_bytes(), false) } else { Cow::Borrowed(text) }
}

/// Decodes `%XX` and `+` in a query.
pub(crate) fn decode_query(text: &str) -> Cow<'_, str> {
    if text.contains(['%', '+']) { decode(text.as_bytes(), true) } else { Cow::Borrowed(text) }
}

fn decode(bytes: &[u8], plus_is_space: bool) -> Cow<'static, str> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1..at + 3).and_then(escape)) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) if plus_is_space => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    Cow::Owned(
        String::from_utf8(out).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned()),
    )
}

fn escape(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(*digits.first()?)? * 16 + digit(*digits.get(1)?)?) as u8)
}

#[cfg(test)]
mod tests {
    use super::{decode_path, decode_query};

    #[test]
    fn escapes_are_decoded_and_everything_else_is_kept() {
        for (text, path, query) in [
            ("plain", "plain", "plain"),
            ("a%20b+c", "a b+c", "a b c"),
            ("%C3%BC", "ü", "ü"),
            ("%2F", "/", "/"),
            ("100%", "100%", "100%"),
            ("%zz%4", "%zz%4", "%zz%4"),
            ("%ff", "\u{fffd}", "\u{fffd}"),
            ("%e2%82", "\u{fffd}", "\u{fffd}"),
        ] {
            assert_eq!((decode_path(text).as_ref(), decode_query(text).as_ref()), (path, query), "{text}");
        }
    }
}
