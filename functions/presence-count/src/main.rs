//! `GET /api/user/online/count` on Lambda, over Redis.

use adapter_redis::Redis;
use shared::lambda::{Fatal, GateSettings, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Redis)>(|(gate, redis)| {
        http(move |request| presence_count::handle(gate.over(redis), redis, request))
    })
}
