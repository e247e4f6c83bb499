//! `$default` on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::chat::ChatPorts;
use shared::lambda::{Fatal, GateSettings, serve, websocket};
use shared::realtime::announce::Announcer;
use shared::realtime::ping::PingTimers;
use shared::realtime::settings::RealtimeSettings;
use ws_message::Ports;

type Components = (GateSettings, PingTimers, RealtimeSettings, Mongo, Redis, Gateway);

fn main() -> Result<(), Fatal> {
    serve::<Components>(|(gate, timers, settings, mongo, redis, gateway)| {
        let (gate, chat) = (gate.over(redis), ChatPorts::over(mongo, redis, gateway));
        let announcer = Announcer::over(redis, gateway, settings);
        let ports = Ports { gate, chat, heartbeats: redis, presence: redis, announcer, timers: *timers };
        websocket(move |event| ws_message::handle(ports, event))
    })
}
