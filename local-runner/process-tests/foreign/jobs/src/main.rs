//! Runs by schedule and returns when it was due.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Ok::<_, Error>(json!({ "cleaned": event.payload["time"], "table": std::env::var("TABLE")? }))
    }))
    .await
}
