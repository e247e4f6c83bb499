//! Announcements on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::lambda::{Fatal, async_event, serve};
use shared::realtime::announce::Announcer;
use shared::realtime::settings::RealtimeSettings;

fn main() -> Result<(), Fatal> {
    serve::<(RealtimeSettings, Mongo, Redis, Gateway)>(|(settings, mongo, redis, gateway)| {
        let announcer = Announcer::over(redis, gateway, settings);
        async_event(move |event| ws_fanout::handle(announcer, mongo, event))
    })
}
