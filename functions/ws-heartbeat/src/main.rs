//! Every minute on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::lambda::{Fatal, schedule, serve};
use shared::realtime::announce::Announcer;
use shared::realtime::ping::PingTimers;
use shared::realtime::settings::RealtimeSettings;
use ws_heartbeat::Ports;

fn main() -> Result<(), Fatal> {
    serve::<(PingTimers, RealtimeSettings, Mongo, Redis, Gateway)>(
        |(timers, settings, mongo, redis, gateway)| {
            let announcer = Announcer::over(redis, gateway, settings);
            let ports = Ports {
                users: mongo,
                sessions: redis,
                heartbeats: redis,
                presence: redis,
                last_seen: redis,
                announcer,
            };
            schedule(move |run| ws_heartbeat::handle(ports, *timers, run))
        },
    )
}
