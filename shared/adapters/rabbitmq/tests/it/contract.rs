//! The contract that every adapter is held to.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use shared::ports::{OutboxMessage, StoreResult};
use test_support::contract::{self, QueuePorts, QueueView};

use crate::world::{Found, World};

/// The broker from the consumer's end; remembers which queues to delete.
struct View {
    world: World,
    declared: Mutex<BTreeSet<String>>,
}

#[async_trait]
impl QueueView for View {
    async fn declare(&self, queue: &str) -> StoreResult<()> {
        self.world.rabbit.declare(queue).await?;
        let depths = self.world.rabbit.queues(queue).await?;
        self.declared.lock().unwrap().extend(depths.into_iter().map(|depth| depth.queue));
        Ok(())
    }

    async fn depth(&self, queue: &str) -> StoreResult<u64> {
        let main = queue.trim_end_matches(".retry").trim_end_matches(".dead");
        let depths = self.world.rabbit.queues(main).await?;
        Ok(depths.into_iter().find(|depth| depth.queue == queue).map(|depth| depth.messages.into()).unwrap())
    }

    async fn drain(&self, queue: &str) -> StoreResult<Vec<OutboxMessage>> {
        let mut all = Vec::new();
        while let Some(found) = self.world.take_from(queue).await {
            all.push(message(found));
        }
        Ok(all)
    }
}

fn message(found: Found) -> OutboxMessage {
    OutboxMessage { id: found.id, body: found.body, attempt: found.attempt.unwrap().try_into().unwrap() }
}

#[tokio::test(flavor = "multi_thread")]
async fn outbox() {
    let Some(world) = World::with_real_delays().await else { return };
    let view = Arc::new(View { world, declared: Mutex::default() });
    let outbox = Arc::new(view.world.adapter());
    let broker = QueuePorts { outbox, view: view.clone() };
    contract::verify("outbox", "rabbitmq", contract::outbox(), broker).await;
    let declared = view.declared.lock().unwrap().clone();
    for queue in declared {
        view.world.delete_named(&queue).await;
    }
}
