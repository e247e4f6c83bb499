//! Every minute on Lambda, over MongoDB, RabbitMQ and Elasticsearch.

use adapter_elasticsearch::Search;
use adapter_mongodb::Mongo;
use adapter_rabbitmq::RabbitMq;
use shared::lambda::{Fatal, schedule, serve};
use shared::ports::SearchIndexWriter;

fn main() -> Result<(), Fatal> {
    serve::<(Mongo, RabbitMq, Option<Search>)>(|(mongo, rabbit, search)| {
        let index = search.as_ref().map(|search| search as &dyn SearchIndexWriter);
        schedule(move |run| message_index_sweeper::handle(mongo, index, rabbit, run))
    })
}
