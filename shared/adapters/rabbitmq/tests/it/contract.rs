//! The contract suite of each port, run on this adapter.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use shared::ports::{OutboxMessage, StoreResult};
use test_support::contract::{self, QueuePorts, QueueView};

use crate::test_broker::{StoredMessage, TestBroker};

/// The broker from the consumer's end; remembers which queues to delete.
struct View {
    server: TestBroker,
    declared: Mutex<BTreeSet<String>>,
}

#[async_trait]
impl QueueView for View {
    async fn declare(&self, queue: &str) -> StoreResult<()> {
        self.server.rabbit.declare(queue).await?;
        let depths = self.server.rabbit.queues(queue).await?;
        self.declared.lock().unwrap().extend(depths.into_iter().map(|depth| depth.queue));
        Ok(())
    }

    async fn depth(&self, queue: &str) -> StoreResult<u64> {
        let main = queue.trim_end_matches(".retry").trim_end_matches(".dead");
        let depths = self.server.rabbit.queues(main).await?;
        Ok(depths.into_iter().find(|depth| depth.queue == queue).map(|depth| depth.messages.into()).unwrap())
    }

    async fn drain(&self, queue: &str) -> StoreResult<Vec<OutboxMessage>> {
        let mut all = Vec::new();
        while let Some(found) = self.server.take_from(queue).await {
            all.push(message(found));
        }
        Ok(all)
    }
}

fn message(found: StoredMessage) -> OutboxMessage {
    OutboxMessage { id: found.id, body: found.body, attempt: found.attempt.unwrap().try_into().unwrap() }
}

#[tokio::test(flavor = "multi_thread")]
async fn outbox_satisfies_the_contract() {
    let Some(server) = TestBroker::with_real_delays().await else { return };
    let view = Arc::new(View { server, declared: Mutex::default() });
    let outbox = Arc::new(view.server.adapter());
    let broker = QueuePorts { outbox, view: view.clone() };
    contract::verify("outbox", "rabbitmq", contract::outbox(), broker).await;
    let declared = view.declared.lock().unwrap().clone();
    for queue in declared {
        view.server.delete_named(&queue).await;
    }
}
