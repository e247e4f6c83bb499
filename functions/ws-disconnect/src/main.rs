//! `$disconnect` on Lambda, over Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_redis::Redis;
use shared::lambda::websocket::websocket;
use shared::lambda::{Fatal, keep, run, start};
use shared::realtime::fanout::Fanout;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let redis = adapter_redis::Config::from_env(&mut env);
    let gateway = Gateway::from_env(&mut env);
    env.finish()?;
    let redis = keep(Redis::new(redis));
    let push = keep(gateway);
    let fanout = Fanout { connections: redis, rooms: redis, push };
    run(websocket(move |event| ws_disconnect::handle(fanout, event))).await
}
