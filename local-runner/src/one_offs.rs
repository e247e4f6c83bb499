//! What this application can do once: making what its servers need, and building the search index anew.

use sam_emulator::BoxError;
use sam_emulator::admin_task::{AdminTask, PrintLine};
use sam_emulator::plan::Plan;
use shared::ports::Indexing as _;

use crate::index;
use crate::queues::Broker;
use crate::stores::Stores;

/// All of them.
pub(crate) fn one_offs(stores: &'static Stores, plan: &Plan) -> Vec<AdminTask> {
    let queues: Vec<String> = plan.queues.iter().map(|queue| queue.queue.clone()).collect();
    vec![
        AdminTask::new(
            "setup",
            "makes MongoDB's indexes, RabbitMQ's queues and the search index; any number of times",
            move |tell| set_up(stores, queues, tell),
        ),
        AdminTask::new("reindex", "puts every message into the search index", move |tell| {
            index::rebuild(stores.unindexed, stores.index, tell)
        }),
    ]
}

/// What an embedded store needs it makes when it is opened.
async fn set_up(stores: &'static Stores, queues: Vec<String>, tell: PrintLine) -> Result<(), BoxError> {
    match stores.mongo {
        Some(mongo) => {
            mongo.setup().await?;
            tell(&format!("documents    MongoDB: {} indexes stand", adapter_mongodb::INDEXES.len()));
        }
        None => tell("documents    embedded: nothing to set up"),
    }
    match stores.broker {
        Broker::RabbitMq(rabbit, _) => {
            for queue in &queues {
                rabbit.declare(queue).await?;
                tell(&format!("queues       RabbitMQ: {queue} stands, with its .retry and .dead"));
            }
        }
        Broker::Embedded(_) => tell("queues       embedded: nothing to set up"),
    }
    match stores.index {
        Some(index) => {
            index.prepare().await?;
            tell("search       Elasticsearch: the index stands");
        }
        None => tell("search       in the document store: nothing to set up"),
    }
    Ok(())
}
