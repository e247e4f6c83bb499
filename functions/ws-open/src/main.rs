//! Invoked by `$connect` on Lambda, over Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_redis::Redis;
use shared::lambda::{Fatal, async_event, serve};
use shared::realtime::fanout::Fanout;
use shared::realtime::ping::PingTimers;

fn main() -> Result<(), Fatal> {
    serve::<(PingTimers, Redis, Gateway)>(|(timers, redis, gateway)| {
        async_event(move |event| ws_open::handle(redis, Fanout::over(redis, gateway), *timers, event))
    })
}
