//! `POST /api/auth/refresh` on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::lambda::{Fatal, GateSettings, http, serve};
use shared::realtime::fanout::Fanout;

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Mongo, Redis, Gateway)>(|(gate, mongo, redis, gateway)| {
        http(move |request| {
            auth_refresh::handle(gate.over(redis), mongo, Fanout::over(redis, gateway), request)
        })
    })
}
