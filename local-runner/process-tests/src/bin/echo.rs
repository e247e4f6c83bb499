//! A function that returns its event, its environment and its context; for API Gateway the event is the body. `{"sleep": MS}` delays the reply.

use std::collections::BTreeMap;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(echo)).await
}

async fn echo(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    if let Some(milliseconds) = event["sleep"].as_u64() {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    let text = event.to_string();
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    Ok(json!({
        "statusCode": 200,
        "body": text,
        "event": event,
        "environment": environment,
        "directory": std::env::current_dir()?,
        "pid": std::process::id(),
        "requestId": context.request_id,
        "deadline": context.deadline,
        "arn": context.invoked_function_arn,
        "trace": context.xray_trace_id,
        "clientContext": context.client_context,
    }))
}
