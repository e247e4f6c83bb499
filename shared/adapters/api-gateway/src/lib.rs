//! The two AWS services that a function calls: API Gateway's `@connections` ([`Gateway`]) and Lambda's
//! asynchronous invoke ([`Lambda`]). The local runner serves both on its port and stands in for AWS.
//!
//! Settings come from the environment:
//!
//! * `PUSH_ENDPOINT`: `https://{domain}/{stage}`, or `http://127.0.0.1:3000/live` on this machine
//! * `AWS_ENDPOINT_URL_LAMBDA` or `LAMBDA_ENDPOINT`: where the Invoke API is. By default AWS's own in
//!   `AWS_REGION`, or, when `PUSH_ENDPOINT` is on this machine, the same port
//! * `FUNCTION_NAME_PREFIX`: put before every function's name, by default nothing
//! * `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`: Lambda sets them. On
//!   this machine they may be absent
//!
//! Not here: `aws-config`, since Lambda hands credentials over in the environment and they live as long as
//! the sandbox; and `aws-sdk-lambda`, since its one request that we need is a signed POST. What is sent is
//! never sent in the clear beyond this machine.

mod failure;

mod endpoint;

mod credentials;

mod transport;

mod push;

mod invoke;

pub use invoke::Lambda;
pub use push::Gateway;
