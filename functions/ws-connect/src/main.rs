//! `$connect` on Lambda, over Redis and Lambda's asynchronous invoke.

use adapter_api_gateway::Lambda;
use adapter_redis::Redis;
use shared::lambda::{Fatal, GateSettings, serve, websocket};

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Redis, Lambda)>(|(gate, redis, lambda)| {
        websocket(move |event| ws_connect::handle(gate.over(redis), redis, lambda, event))
    })
}
