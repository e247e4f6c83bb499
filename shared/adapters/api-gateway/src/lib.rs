//! The two AWS services that a function calls: API Gateway's `@connections` ([`Gateway`]) and Lambda's
//! asynchronous invoke ([`Lambda`]). The local runner serves both on its port, as a stand-in for AWS.
//!
//! Settings come from the environment:
//!
//! * `PUSH_ENDPOINT`: `https://{domain}/{stage}`, or `http://127.0.0.1:3000/live` on this machine
//! * `AWS_ENDPOINT_URL_LAMBDA` or `LAMBDA_ENDPOINT`: the Invoke API. The default is the origin of
//!   `PUSH_ENDPOINT` if that is plain HTTP, otherwise AWS's endpoint in `AWS_REGION`
//! * `FUNCTION_NAME_PREFIX`: put before each function's name, empty by default
//! * `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`: set by Lambda, optional
//!   when the endpoints are plain HTTP on this machine
//!
//! Not used: `aws-config`, because Lambda passes the credentials in the environment and they are valid as long
//! as the sandbox; and `aws-sdk-lambda`, because the one request we need is a signed POST. Requests to other
//! machines always use TLS.

mod credentials;
mod endpoint;
mod failure;
mod invoke;
mod push;
mod transport;

pub use invoke::Lambda;
pub use push::Gateway;
