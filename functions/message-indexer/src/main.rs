//! `message_indexing_queue` on Lambda, over MongoDB, RabbitMQ and Elasticsearch.

use adapter_elasticsearch::Search;
use adapter_mongodb::Mongo;
use adapter_rabbitmq::RabbitMq;
use message_indexer::Ports;
use shared::lambda::{Fatal, queue, serve};
use shared::ports::SearchIndexWriter;

fn main() -> Result<(), Fatal> {
    serve::<(Mongo, RabbitMq, Option<Search>)>(|(mongo, rabbit, search)| {
        let index = search.as_ref().map(|search| search as &dyn SearchIndexWriter);
        let ports = Ports { index_backlog: mongo, index, outbox: rabbit };
        queue(move |batch| message_indexer::handle(ports, batch))
    })
}
