//! `message_sending_queue` on Lambda, over MongoDB, Redis, API Gateway's connections and RabbitMQ.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_rabbitmq::RabbitMq;
use adapter_redis::Redis;
use shared::lambda::queue::queue;
use shared::lambda::{Fatal, keep, run, start};
use shared::message::send::Chat;
use shared::realtime::fanout::Fanout;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let mongo = adapter_mongodb::Config::from_env(&mut env);
    let redis = adapter_redis::Config::from_env(&mut env);
    let rabbit = adapter_rabbitmq::Config::from_env(&mut env);
    let gateway = Gateway::from_env(&mut env);
    env.finish()?;
    let mongo = keep(Mongo::connect(&mongo).await?);
    let redis = keep(Redis::new(redis));
    let rabbit = keep(RabbitMq::new(rabbit));
    let push = keep(gateway);
    let fanout = Fanout { connections: redis, rooms: redis, push };
    let chat = Chat { users: mongo, conversations: mongo, cache: redis, messages: mongo, fanout };
    let ports = auto_message_consumer::Ports { auto_messages: mongo, outbox: rabbit, chat };
    run(queue(move |batch| auto_message_consumer::handle(ports, batch))).await
}
