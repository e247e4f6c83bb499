//! `$connect` on Lambda, over Redis and Lambda's asynchronous invoke.

use adapter_api_gateway::Lambda;
use adapter_redis::Redis;
use shared::lambda::{Fatal, GateSettings, serve, websocket};
use shared::realtime::settings::RealtimeSettings;

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, RealtimeSettings, Redis, Lambda)>(|(gate, settings, redis, lambda)| {
        websocket(move |event| ws_connect::handle(gate.over(redis), redis, lambda, settings, event))
    })
}
