//! `GET /api/messages/{conversationId}` on Lambda, over MongoDB and Redis.

use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::chat::MemberLookup;
use shared::lambda::{Fatal, GateSettings, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Mongo, Redis)>(|(gate, mongo, redis)| {
        http(move |request| {
            message_list::handle(gate.over(redis), MemberLookup::over(mongo, redis), mongo, request)
        })
    })
}
