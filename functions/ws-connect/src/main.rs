//! `$connect` on Lambda, over Redis and Lambda's asynchronous invoke.

use adapter_api_gateway::Lambda;
use adapter_redis::Redis;
use shared::lambda::websocket::websocket;
use shared::lambda::{Fatal, GateSettings, keep, run, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let gate = GateSettings::from_env(&mut env);
    let redis = adapter_redis::Config::from_env(&mut env);
    let lambda = Lambda::from_env(&mut env);
    env.finish()?;
    let redis = keep(Redis::new(redis));
    let lambda = keep(lambda);
    let gate = gate.over(redis);
    run(websocket(move |event| ws_connect::handle(gate, redis, lambda, event))).await
}
