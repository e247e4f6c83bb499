//! `GET /api/messages/search` on Lambda, over MongoDB, Redis and Elasticsearch where it is configured.

use adapter_elasticsearch::Search;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::conversation::Circles;
use shared::lambda::http::http;
use shared::lambda::{Fatal, GateSettings, keep, run, start};
use shared::ports::SearchIndex;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let gate = GateSettings::from_env(&mut env);
    let mongo = adapter_mongodb::Config::from_env(&mut env);
    let redis = adapter_redis::Config::from_env(&mut env);
    let elastic = env.optional("ELASTICSEARCH_URL").map(|_| Search::from_env(&mut env));
    env.finish()?;
    let mongo = keep(Mongo::connect(&mongo).await?);
    let redis = keep(Redis::new(redis));
    let index: &dyn SearchIndex = match elastic {
        Some(elastic) => keep(elastic),
        None => mongo,
    };
    let gate = gate.over(redis);
    let circles = Circles { conversations: mongo, cache: redis };
    run(http(move |request| message_search::handle(gate, circles, mongo, index, request))).await
}
