//! `POST /api/auth/logout` on Lambda, over Redis and API Gateway's connections.

use adapter_api_gateway::Gateway;
use adapter_redis::Redis;
use shared::lambda::http::http;
use shared::lambda::{Fatal, GateSettings, keep, run, start};
use shared::realtime::fanout::Fanout;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let gate = GateSettings::from_env(&mut env);
    let redis = adapter_redis::Config::from_env(&mut env);
    let gateway = Gateway::from_env(&mut env);
    env.finish()?;
    let redis = keep(Redis::new(redis));
    let push = keep(gateway);
    let gate = gate.over(redis);
    let fanout = Fanout { connections: redis, rooms: redis, push };
    run(http(move |request| auth_logout::handle(gate, fanout, request))).await
}
