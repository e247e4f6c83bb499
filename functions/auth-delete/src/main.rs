//! `DELETE /api/auth/me` on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::auth::Passwords;
use shared::lambda::{Fatal, GateSettings, http, serve};
use shared::realtime::fanout::Fanout;

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Mongo, Redis, Gateway, Passwords)>(|(gate, mongo, redis, gateway, passwords)| {
        http(move |request| {
            auth_delete::handle(gate.over(redis), mongo, passwords, Fanout::over(redis, gateway), request)
        })
    })
}
