//! A function that streams its response, and fails in the middle if its event says so.

use bytes::Bytes;
use futures::stream::{self, Stream};
use lambda_runtime::streaming::Response;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(stream)).await
}

async fn stream(
    event: LambdaEvent<Value>,
) -> Result<Response<impl Stream<Item = Result<Bytes, Error>> + Send>, Error> {
    let chunks = event.payload["chunks"].as_u64().unwrap_or(3);
    let size = event.payload["size"].as_u64().unwrap_or(0) as usize;
    let mut parts: Vec<Result<Bytes, Error>> =
        (0..chunks).map(|chunk| Ok(Bytes::from(format!("part {chunk};{}", "x".repeat(size))))).collect();
    if event.payload["fail"] == true {
        parts.push(Err("the source broke off".into()));
    }
    Ok(Response::from(stream::iter(parts)))
}
