//! Every minute on Lambda, over MongoDB and RabbitMQ.

use adapter_mongodb::Mongo;
use adapter_rabbitmq::RabbitMq;
use shared::lambda::schedule::schedule;
use shared::lambda::{Fatal, keep, run, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let mongo = adapter_mongodb::Config::from_env(&mut env);
    let rabbit = adapter_rabbitmq::Config::from_env(&mut env);
    env.finish()?;
    let mongo = keep(Mongo::connect(&mongo).await?);
    let rabbit = keep(RabbitMq::new(rabbit));
    run(schedule(move |tick| auto_message_queuer::handle(mongo, rabbit, tick))).await
}
