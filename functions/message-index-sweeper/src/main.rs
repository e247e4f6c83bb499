//! Every minute on Lambda, over MongoDB, RabbitMQ and Elasticsearch where it is configured.

use adapter_elasticsearch::Search;
use adapter_mongodb::Mongo;
use adapter_rabbitmq::RabbitMq;
use shared::lambda::schedule::schedule;
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
    run(schedule(move |tick| message_index_sweeper::handle(mongo, index, rabbit, tick))).await
}
