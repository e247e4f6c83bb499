//! What went wrong, on one line, for a log. Nothing of a request is in it.

use std::error::Error;
use std::fmt::Write as _;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// `what: why: why that`, without the debug output that would repeat whole responses.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

/// The status and `x-amzn-ErrorType`, where AWS names an error.
pub(crate) fn answered(response: &HttpResponse) -> String {
    let kind = response.headers().get("x-amzn-errortype").unwrap_or("without a reason");
    format!("answered {} {kind}", response.status().as_u16())
}
