//! `GET /api/auth/me` on Lambda, over MongoDB and Redis.

use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::lambda::{Fatal, GateSettings, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Mongo, Redis)>(|(gate, mongo, redis)| {
        http(move |request| auth_me::handle(gate.over(redis), mongo, request))
    })
}
