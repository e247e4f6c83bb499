//! `PATCH /api/messages/{messageId}` on Lambda, over MongoDB, Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_redis::Redis;
use shared::lambda::http::http;
use shared::lambda::{Fatal, GateSettings, keep, run, start};
use shared::message::send::Chat;
use shared::realtime::fanout::Fanout;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let gate = GateSettings::from_env(&mut env);
    let mongo = adapter_mongodb::Config::from_env(&mut env);
    let redis = adapter_redis::Config::from_env(&mut env);
    let gateway = Gateway::from_env(&mut env);
    env.finish()?;
    let mongo = keep(Mongo::connect(&mongo).await?);
    let redis = keep(Redis::new(redis));
    let push = keep(gateway);
    let gate = gate.over(redis);
    let fanout = Fanout { connections: redis, rooms: redis, push };
    let chat = Chat { users: mongo, conversations: mongo, cache: redis, messages: mongo, fanout };
    run(http(move |request| message_edit::handle(gate, chat, request))).await
}
