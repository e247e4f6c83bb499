//! `$disconnect` on Lambda, over Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_redis::Redis;
use shared::lambda::{Fatal, serve, websocket};
use shared::realtime::fanout::Fanout;

fn main() -> Result<(), Fatal> {
    serve::<(Redis, Gateway)>(|(redis, gateway)| {
        websocket(move |event| ws_disconnect::handle(Fanout::over(redis, gateway), event))
    })
}
