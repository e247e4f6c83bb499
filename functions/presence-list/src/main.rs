//! `GET /api/user/online` on Lambda, over Redis.

use adapter_redis::Redis;
use shared::lambda::{Fatal, GateSettings, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Redis)>(|(gate, redis)| {
        http(move |request| presence_list::handle(gate.over(redis), redis, request))
    })
}
