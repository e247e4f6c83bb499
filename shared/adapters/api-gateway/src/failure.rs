//! Failures as one line of text for a log. They contain nothing of the request.

use std::error::Error;
use std::fmt::Write as _;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// The error and its causes, separated by colons. Their `Debug` output would repeat whole responses.
pub(crate) fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

/// The status of an unsuccessful response, and AWS's name for the error from the header `x-amzn-ErrorType`.
pub(crate) fn describe_response(response: &HttpResponse) -> String {
    let error_type = response.headers().get("x-amzn-errortype").unwrap_or("without an error type");
    format!("HTTP status {} {error_type}", response.status().as_u16())
}
