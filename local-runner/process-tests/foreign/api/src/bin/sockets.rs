//! Serves the WebSocket API: the route `add` sums numbers.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let body: Value = serde_json::from_str(event.payload["body"].as_str().unwrap_or("{}"))?;
        let numbers = body["numbers"].as_array().cloned().unwrap_or_default();
        let sum: i64 = numbers.iter().filter_map(Value::as_i64).sum();
        Ok::<_, Error>(json!({ "statusCode": 200, "body": sum.to_string() }))
    }))
    .await
}
