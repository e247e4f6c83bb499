//! Invoked by `$connect` on Lambda, over Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_redis::Redis;
use shared::lambda::{Fatal, async_event, serve};
use shared::realtime::announce::Announcer;
use shared::realtime::ping::PingTimers;
use shared::realtime::settings::RealtimeSettings;

fn main() -> Result<(), Fatal> {
    serve::<(PingTimers, RealtimeSettings, Redis, Gateway)>(|(timers, settings, redis, gateway)| {
        let announcer = Announcer::over(redis, gateway, settings);
        async_event(move |event| ws_open::handle(redis, announcer, *timers, event))
    })
}
