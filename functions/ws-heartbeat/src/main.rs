//! Every minute on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::lambda::{Fatal, schedule, serve};
use shared::realtime::fanout::Fanout;
use shared::realtime::ping::PingTimers;
use ws_heartbeat::Ports;

fn main() -> Result<(), Fatal> {
    serve::<(PingTimers, Mongo, Redis, Gateway)>(|(timers, mongo, redis, gateway)| {
        let fanout = Fanout::over(redis, gateway);
        let ports = Ports {
            users: mongo,
            sessions: redis,
            heartbeats: redis,
            presence: redis,
            last_seen: redis,
            fanout,
        };
        schedule(move |run| ws_heartbeat::handle(ports, *timers, run))
    })
}
