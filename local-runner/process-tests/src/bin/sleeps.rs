//! A function that starts a process which outlives it, and then sleeps past any timeout.

use std::process::Command;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(sleep)).await
}

async fn sleep(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let seconds = event.payload["seconds"].as_str().unwrap_or("1000");
    Command::new("sleep").arg(seconds).spawn()?;
    // Blocks the thread, so that nothing in this process can notice that the emulator is gone.
    std::thread::sleep(Duration::from_secs(1000));
    Ok(event.payload)
}
