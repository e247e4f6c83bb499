//! `GET /api/auth/sessions` on Lambda, over Redis.

use adapter_redis::Redis;
use shared::lambda::http::http;
use shared::lambda::{Fatal, GateSettings, keep, run, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let gate = GateSettings::from_env(&mut env);
    let redis = adapter_redis::Config::from_env(&mut env);
    env.finish()?;
    let redis = keep(Redis::new(redis));
    let gate = gate.over(redis);
    run(http(move |request| auth_sessions::handle(gate, request))).await
}
