//! A function whose process ends during an invocation: with the exit code of its event, or by a signal.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(exit)).await
}

async fn exit(event: LambdaEvent<Value>) -> Result<Value, Error> {
    match event.payload["code"].as_i64() {
        Some(code) => std::process::exit(i32::try_from(code)?),
        None => std::process::abort(),
    }
}
