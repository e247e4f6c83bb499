//! The commands `task setup` and `task reindex`.

use sam_emulator::BoxError;
use sam_emulator::admin_task::{AdminTask, PrintLine};
use sam_emulator::plan::Plan;
use shared::ports::SearchIndexWriter as _;

use crate::index;
use crate::queues::Broker;
use crate::stores::Stores;

/// Every task.
pub(crate) fn admin_tasks(stores: &'static Stores, plan: &Plan) -> Vec<AdminTask> {
    let queues: Vec<String> = plan.queues.iter().map(|queue| queue.queue.clone()).collect();
    vec![
        AdminTask::new(
            "setup",
            "creates MongoDB's indexes, RabbitMQ's queues and the search index; may be repeated",
            move |print| set_up(stores, queues, print),
        ),
        AdminTask::new("reindex", "writes every message to the search index", move |print| {
            index::rebuild(stores.index_backlog, stores.index, print)
        }),
    ]
}

/// Embedded stores need no setup: opening one creates what it needs.
async fn set_up(stores: &'static Stores, queues: Vec<String>, print: PrintLine) -> Result<(), BoxError> {
    match stores.mongo {
        Some(mongo) => {
            mongo.setup().await?;
            print(&format!("documents    MongoDB: {} indexes exist", adapter_mongodb::INDEXES.len()));
        }
        None => print("documents    embedded: nothing to set up"),
    }
    match stores.broker {
        Broker::RabbitMq(rabbit, _) => {
            for queue in &queues {
                rabbit.declare(queue).await?;
                print(&format!("queues       RabbitMQ: {queue} exists, with its .retry and .dead"));
            }
        }
        Broker::Embedded(_) => print("queues       embedded: nothing to set up"),
    }
    match stores.index {
        Some(index) => {
            index.prepare().await?;
            print("search       Elasticsearch: the index exists");
        }
        None => print("search       in the document store: nothing to set up"),
    }
    Ok(())
}
