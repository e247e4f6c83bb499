//! The operations of the Invoke API by method and path (Lambda API reference; botocore's service model).

use http::Method;
use http::request::Parts;

/// An operation that runs a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `Invoke`: `POST /2015-03-31/functions/{name}/invocations`.
    Invoke,
    /// `InvokeAsync`, the older form of `InvocationType: Event`: `POST
    /// /2014-11-13/functions/{name}/invoke-async/`.
    InvokeAsync,
    /// `InvokeWithResponseStream`: `POST /2021-11-15/functions/{name}/response-streaming-invocations`.
    InvokeWithResponseStream,
}

/// The versions with which the paths of Lambda's API begin, and the resources below them. Paths of an HTTP API
/// that begin with another date or resource are not Lambda's.
const VERSIONS: [&str; 16] = [
    "2014-11-13",
    "2015-03-31",
    "2016-08-19",
    "2017-03-31",
    "2017-10-31",
    "2018-10-31",
    "2019-09-25",
    "2019-09-30",
    "2020-04-22",
    "2020-06-30",
    "2021-07-20",
    "2021-10-31",
    "2021-11-15",
    "2024-08-31",
    "2025-11-30",
    "2025-12-01",
];
const RESOURCES: [&str; 8] = [
    "functions",
    "event-source-mappings",
    "layers",
    "layers-by-arn",
    "tags",
    "account-settings",
    "code-signing-configs",
    "durable-executions",
];

/// Whether a path belongs to Lambda's API, so that Lambda's errors answer it.
pub(super) fn is_lambda_path(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    let version = segments.next().unwrap_or_default();
    let resource = segments.next().unwrap_or_default();
    VERSIONS.contains(&version) && (RESOURCES.contains(&resource) || version == "2015-03-31")
}

/// The operation of a request, and its path segment `{name}`; `None` when the API has no such operation here.
pub(super) fn of(head: &Parts) -> Option<(Operation, &str)> {
    let path = head.uri.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let (operation, name) = match segments.as_slice() {
        ["2015-03-31", "functions", name, "invocations"] => (Operation::Invoke, *name),
        ["2014-11-13", "functions", name, "invoke-async"] => (Operation::InvokeAsync, *name),
        ["2021-11-15", "functions", name, "response-streaming-invocations"] => {
            (Operation::InvokeWithResponseStream, *name)
        }
        _ => return None,
    };
    (head.method == Method::POST).then_some((operation, name))
}
