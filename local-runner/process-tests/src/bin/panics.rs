//! A function that panics with the text of its event, or returns an error.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(fail)).await
}

async fn fail(event: LambdaEvent<Value>) -> Result<Value, Error> {
    match event.payload["error"].as_str() {
        Some(error) => Err(error.into()),
        None => panic!("{}", event.payload),
    }
}
