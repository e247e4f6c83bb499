//! `PUT /api/conversations/{id}/read` on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::chat::ReadPorts;
use shared::lambda::{Fatal, GateSettings, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Mongo, Redis, Gateway)>(|(gate, mongo, redis, gateway)| {
        http(move |request| {
            conversation_read::handle(gate.over(redis), ReadPorts::over(mongo, redis, gateway), request)
        })
    })
}
