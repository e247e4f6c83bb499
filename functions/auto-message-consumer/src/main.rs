//! `message_sending_queue` on Lambda, over MongoDB, Redis, API Gateway's connections and RabbitMQ.

use adapter_api_gateway::Gateway;
use adapter_mongodb::Mongo;
use adapter_rabbitmq::RabbitMq;
use adapter_redis::Redis;
use auto_message_consumer::Ports;
use shared::chat::ChatPorts;
use shared::lambda::{Fatal, queue, serve};

fn main() -> Result<(), Fatal> {
    serve::<(Mongo, Redis, Gateway, RabbitMq)>(|(mongo, redis, gateway, rabbit)| {
        let chat = ChatPorts::over(mongo, redis, gateway);
        let ports = Ports { auto_messages: mongo, outbox: rabbit, chat };
        queue(move |batch| auto_message_consumer::handle(ports, batch))
    })
}
