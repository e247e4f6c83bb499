//! Reads and writes JSON; size and depth are checked before anything is parsed.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::error::Category;

use super::{MAX_DEPTH, MAX_FRAME_BYTES, ParseError};

/// Rejects a frame over [`MAX_FRAME_BYTES`].
pub(super) fn check_size(frame: &str) -> Result<(), ParseError> {
    if frame.len() > MAX_FRAME_BYTES { Err(ParseError::TooLong) } else { Ok(()) }
}

/// Parses `text` as JSON of the shape `T`.
///
/// A lone surrogate (`"\ud83d"`) becomes U+FFFD. JSON allows it, and browsers send it when text is cut in the middle
/// of an emoji; the connection should survive that.
///
/// # Errors
///
/// `TooDeep`, `InvalidJson`, or `InvalidPayload` for JSON that is not a `T`.
pub(super) fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, ParseError> {
    if depth_exceeds(text, MAX_DEPTH) {
        return Err(ParseError::TooDeep);
    }
    let parsed = match serde_json::from_str(text) {
        Err(error) if error.classify() == Category::Syntax && text.contains("\\u") => {
            serde_json::from_str(&replace_lone_surrogates(text))
        }
        parsed => parsed,
    };
    parsed.map_err(|error| match error.classify() {
        Category::Data => ParseError::InvalidPayload,
        Category::Syntax | Category::Eof | Category::Io => ParseError::InvalidJson,
    })
}

/// Whether arrays and objects are nested deeper than `max`. Brackets in strings do not count.
fn depth_exceeds(text: &str, max: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > max {
            return true;
        }
    }
    false
}

/// `text` with each escape of a lone surrogate (`\uD800`–`\uDFFF`) replaced by `\ufffd`.
fn replace_lone_surrogates(text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        let (length, replacement) = replace_first_escape(escape);
        replaced.push_str(before);
        replaced.push_str(replacement.unwrap_or(&escape[..length]));
        rest = &escape[length..];
    }
    replaced.push_str(rest);
    replaced
}

/// The length of the escape that `text` begins with, and its replacement if it is a lone surrogate.
fn replace_first_escape(text: &str) -> (usize, Option<&'static str>) {
    match (utf16_unit(text), text.get(6..).and_then(utf16_unit)) {
        (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (12, None),
        (Some(0xD800..=0xDFFF), _) => (6, Some("\\ufffd")),
        // Both characters of the escape, so that the second `\` of `\\` does not begin another one.
        _ => (text.chars().take(2).map(char::len_utf8).sum(), None),
    }
}

/// The UTF-16 unit of the escape `\uXXXX`, if `text` begins with one.
fn utf16_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

/// `value` as JSON.
///
/// # Panics
///
/// If `value` cannot be serialised: a map whose keys are not strings, or a `Serialize` that fails. None of our wire
/// types does that.
pub(super) fn to_string(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("wire types have string keys and always serialise")
}
