//! `message_indexing_queue` on Lambda, over MongoDB, RabbitMQ and Elasticsearch where it is configured.

use adapter_elasticsearch::Search;
use adapter_mongodb::Mongo;
use adapter_rabbitmq::RabbitMq;
use shared::lambda::queue::queue;
use shared::lambda::{Fatal, keep, run, start};
use shared::ports::Indexing;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    let mut env = start();
    let mongo = adapter_mongodb::Config::from_env(&mut env);
    let rabbit = adapter_rabbitmq::Config::from_env(&mut env);
    let elastic = env.optional("ELASTICSEARCH_URL").map(|_| Search::from_env(&mut env));
    env.finish()?;
    let mongo = keep(Mongo::connect(&mongo).await?);
    let rabbit = keep(RabbitMq::new(rabbit));
    let index = elastic.map(|elastic| keep(elastic) as &dyn Indexing);
    let ports = message_indexer::Ports { unindexed: mongo, index, outbox: rabbit };
    run(queue(move |batch| message_indexer::handle(ports, batch))).await
}
