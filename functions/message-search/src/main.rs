//! `GET /api/messages/search` on Lambda, over MongoDB, Redis and Elasticsearch.

use adapter_elasticsearch::Search;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::chat::MemberLookup;
use shared::lambda::{Fatal, GateSettings, http, serve};
use shared::ports::SearchIndex;

fn main() -> Result<(), Fatal> {
    serve::<(GateSettings, Mongo, Redis, Option<Search>)>(|(gate, mongo, redis, search)| {
        let index = search.as_ref().map_or(mongo as &dyn SearchIndex, |search| search);
        let members = MemberLookup::over(mongo, redis);
        http(move |request| message_search::handle(gate.over(redis), members, mongo, index, request))
    })
}
