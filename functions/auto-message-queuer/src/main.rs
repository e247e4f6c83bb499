//! Every minute on Lambda, over MongoDB and RabbitMQ.

use adapter_mongodb::Mongo;
use adapter_rabbitmq::RabbitMq;
use shared::lambda::{Fatal, schedule, serve};

fn main() -> Result<(), Fatal> {
    serve::<(Mongo, RabbitMq)>(|(mongo, rabbit)| {
        schedule(move |run| auto_message_queuer::handle(mongo, rabbit, run))
    })
}
