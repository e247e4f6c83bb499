//! `POST /api/messages/send` on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::chat::ChatPorts;
use shared::lambda::{Fatal, GateSettings, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Mongo, Redis, Gateway)>(|(gate, mongo, redis, gateway)| {
        http(move |request| {
            message_send::handle(gate.over(redis), ChatPorts::over(mongo, redis, gateway), request)
        })
    })
}
