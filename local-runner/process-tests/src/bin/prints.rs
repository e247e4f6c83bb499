//! A function that prints on both outputs, as many lines as its event says.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    println!("initializing");
    lambda_runtime::run(service_fn(print)).await
}

async fn print(event: LambdaEvent<Value>) -> Result<Value, Error> {
    for line in 0..event.payload["lines"].as_u64().unwrap_or(1) {
        println!("out {line}");
        eprintln!("error {line}");
    }
    print!("without an end");
    std::io::Write::flush(&mut std::io::stdout())?;
    Ok(Value::Null)
}
