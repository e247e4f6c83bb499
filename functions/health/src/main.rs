//! `GET /api/health` on Lambda, over MongoDB and Redis.

use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::lambda::{Fatal, GateSettings, http, leak, serve};

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Mongo, Redis)>(|(gate, mongo, redis)| {
        let stores = leak([("mongodb", mongo as _), ("redis", redis as _)]);
        http(move |request| health::handle(gate.over(redis), stores, request))
    })
}
