//! `GET /api/messages/{conversationId}` on Lambda, over MongoDB and Redis.

use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::conversation::Circles;
use shared::lambda::http::http;
use shared::lambda::{Fatal, GateSettings, keep, run, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let gate = GateSettings::from_env(&mut env);
    let mongo = adapter_mongodb::Config::from_env(&mut env);
    let redis = adapter_redis::Config::from_env(&mut env);
    env.finish()?;
    let mongo = keep(Mongo::connect(&mongo).await?);
    let redis = keep(Redis::new(redis));
    let gate = gate.over(redis);
    let circles = Circles { conversations: mongo, cache: redis };
    run(http(move |request| message_list::handle(gate, circles, mongo, request))).await
}
