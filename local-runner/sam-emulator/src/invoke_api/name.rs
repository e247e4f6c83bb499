//! The forms in which the Invoke API accepts a function's name.

use percent_encoding::percent_decode_str;

/// The only version that exists here.
pub(crate) const LATEST: &str = "$LATEST";

/// A function and the version or alias of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionName {
    /// The name without account, region or qualifier.
    pub function: String,
    /// The version or alias; `$LATEST` by default.
    pub qualifier: String,
}

/// Parses the path segment `{FunctionName}`, percent-encoded: a name, `name:qualifier`, the partial ARN
/// `account:function:name`, or the full ARN, each with or without a qualifier. A qualifier there has
/// precedence over the query's `Qualifier`. `None` for any other form.
#[must_use]
pub fn parse(given: &str, query: &str) -> Option<FunctionName> {
    let decoded = percent_decode_str(given).decode_utf8_lossy();
    let parts: Vec<&str> = decoded.split(':').collect();
    let (function, qualifier) = match parts.as_slice() {
        ["arn", _, "lambda", _, _, "function", name] | [_, "function", name] | [name] => (name, None),
        ["arn", _, "lambda", _, _, "function", name, qualifier]
        | [_, "function", name, qualifier]
        | [name, qualifier] => (name, Some((*qualifier).to_owned())),
        _ => return None,
    };
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if function.is_empty() || function.len() > 64 || !function.chars().all(is_allowed) {
        return None;
    }
    let in_query = || form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "Qualifier");
    let qualifier = qualifier.or_else(|| in_query().map(|(_, qualifier)| qualifier.into_owned()));
    Some(FunctionName {
        function: (*function).to_owned(),
        qualifier: qualifier.unwrap_or_else(|| LATEST.to_owned()),
    })
}
