//! `GET /api/conversations` on Lambda, over MongoDB and Redis.

use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::lambda::{Fatal, GateSettings, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Mongo, Redis)>(|(gate, mongo, redis)| {
        http(move |request| conversation_list::handle(gate.over(redis), mongo, mongo, request))
    })
}
