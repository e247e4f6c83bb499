//! `POST /api/auth/register` on Lambda, over MongoDB and Redis.

use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::auth::Passwords;
use shared::lambda::{Fatal, GateSettings, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Mongo, Redis, Passwords)>(|(gate, mongo, redis, passwords)| {
        http(move |request| auth_register::handle(gate.over(redis), mongo, passwords, request))
    })
}
