//! `POST /api/auth/logout` on Lambda, over Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_redis::Redis;
use shared::lambda::{Fatal, GateSettings, http, serve};
use shared::realtime::fanout::Fanout;

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Redis, Gateway)>(|(gate, redis, gateway)| {
        http(move |request| auth_logout::handle(gate.over(redis), Fanout::over(redis, gateway), request))
    })
}
