//! `$disconnect` on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::lambda::websocket::websocket;
use shared::lambda::{Fatal, keep, run, start};
use shared::realtime::fanout::Fanout;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let mongo = adapter_mongodb::Config::from_env(&mut env);
    let redis = adapter_redis::Config::from_env(&mut env);
    let gateway = Gateway::from_env(&mut env);
    env.finish()?;
    let mongo = keep(Mongo::connect(&mongo).await?);
    let redis = keep(Redis::new(redis));
    let push = keep(gateway);
    let fanout = Fanout { connections: redis, rooms: redis, push };
    run(websocket(move |event| ws_disconnect::handle(mongo, fanout, event))).await
}
