//! `$default` on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::chat::ChatPorts;
use shared::lambda::{Fatal, GateSettings, serve, websocket};
use shared::realtime::ping::PingTimers;
use ws_message::Ports;

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, PingTimers, Mongo, Redis, Gateway)>(|(gate, timers, mongo, redis, gateway)| {
        let (gate, chat) = (gate.over(redis), ChatPorts::over(mongo, redis, gateway));
        let ports = Ports { gate, chat, heartbeats: redis, presence: redis, timers: *timers };
        websocket(move |event| ws_message::handle(ports, event))
    })
}
