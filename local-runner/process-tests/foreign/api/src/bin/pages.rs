//! Serves every path of the HTTP API.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let proxy = &event.payload["pathParameters"]["proxy"];
        Ok::<_, Error>(json!({ "statusCode": 200, "body": format!("page {}", proxy.as_str().unwrap_or("?")) }))
    }))
    .await
}
