//! `GET /api/health` on Lambda, over MongoDB and Redis.

use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use health::Named;
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
    let stores: &[Named<'_>] = keep([("mongodb", mongo as _), ("redis", redis as _)]);
    run(http(move |request| health::handle(gate, stores, request))).await
}
