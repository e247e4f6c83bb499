//! The commands `task setup` and `task reindex`.

use sam_emulator::BoxError;
use sam_emulator::one_off::{OneOff, Tell};
use sam_emulator::plan::Plan;
use shared::ports::SearchIndexWriter as _;

use crate::index;
use crate::queues::Broker;
use crate::stores::Stores;

/// Every task.
pub(crate) fn admin_tasks(stores: &'static Stores, plan: &Plan) -> Vec<OneOff> {
    let queues: Vec<String> = plan.queues.iter().map(|queue| queue.queue.clone()).collect();
    vec![
        OneOff::new(
            "setup",
            "creates MongoDB's indexes, RabbitMQ's queues and the search index; may be repeated",
            move |tell| set_up(stores, queues, tell),
        ),
        OneOff::new("reindex", "writes every message to the search index", move |tell| {
            index::rebuild(stores.index_backlog, stores.index, tell)
        }),
    ]
}

/// Embedded stores need no setup: opening one creates what it needs.
async fn set_up(stores: &'static Stores, queues: Vec<String>, tell: Tell) -> Result<(), BoxError> {
    match stores.mongo {
        Some(mongo) => {
            mongo.setup().await?;
            tell(&format!("documents    MongoDB: {} indexes exist", adapter_mongodb::INDEXES.len()));
        }
        None => tell("documents    embedded: nothing to set up"),
    }
    match stores.broker {
        Broker::RabbitMq(rabbit, _) => {
            for queue in &queues {
                rabbit.declare(queue).await?;
                tell(&format!("queues       RabbitMQ: {queue} exists, with its .retry and .dead"));
            }
        }
        Broker::Embedded(_) => tell("queues       embedded: nothing to set up"),
    }
    match stores.index {
        Some(index) => {
            index.prepare().await?;
            tell("search       Elasticsearch: the index exists");
        }
        None => tell("search       in the document store: nothing to set up"),
    }
    Ok(())
}
