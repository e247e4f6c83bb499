//! `GET /api/auth/sessions` on Lambda, over Redis.

use adapter_redis::Redis;
use shared::lambda::{Fatal, GateSettings, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Redis)>(|(gate, redis)| {
        http(move |request| auth_sessions::handle(gate.over(redis), request))
    })
}
