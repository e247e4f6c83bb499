//! 02:00 on Lambda, over MongoDB.

use adapter_mongodb::Mongo;
use shared::lambda::schedule::schedule;
use shared::lambda::{Fatal, keep, run, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let settings = auto_message_planner::Settings::from_env(&mut env);
    let mongo = adapter_mongodb::Config::from_env(&mut env);
    env.finish()?;
    let mongo = keep(Mongo::connect(&mongo).await?);
    let settings = keep(settings);
    run(schedule(move |tick| auto_message_planner::handle(mongo, mongo, settings, tick))).await
}
