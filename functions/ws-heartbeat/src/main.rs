//! Every minute on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::config::ping_timers;
use shared::lambda::schedule::schedule;
use shared::lambda::{Fatal, keep, run, start};
use shared::realtime::fanout::Fanout;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let timers = ping_timers(&mut env);
    let mongo = adapter_mongodb::Config::from_env(&mut env);
    let redis = adapter_redis::Config::from_env(&mut env);
    let gateway = Gateway::from_env(&mut env);
    env.finish()?;
    let mongo = keep(Mongo::connect(&mongo).await?);
    let redis = keep(Redis::new(redis));
    let push = keep(gateway);
    let fanout = Fanout { connections: redis, rooms: redis, push };
    let ports =
        ws_heartbeat::Ports { users: mongo, heartbeats: redis, presence: redis, departures: redis, fanout };
    run(schedule(move |tick| ws_heartbeat::handle(ports, timers, tick))).await
}
