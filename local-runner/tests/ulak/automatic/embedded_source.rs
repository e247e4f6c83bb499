//! The embedded queue as an event source: a receive that is cancelled, as when a batch closes.

use std::time::Duration;

use adapter_embedded::Embedded;
use futures::poll;
use local_runner::embedded_source::EmbeddedSource;
use sam_emulator::event_source::Source as _;
use shared::lambda::leak;
use shared::ports::{Outbox as _, OutboxMessage};

const QUEUE: &str = "jobs";
const PATIENCE: Duration = Duration::from_secs(10);

fn job(n: usize) -> OutboxMessage {
    OutboxMessage { id: format!("job{n}"), body: vec![b'0'], attempt: 0 }
}

// On one thread, so that nothing runs between the two polls.
#[tokio::test]
async fn cancelled_receive_loses_no_job() {
    let store: &'static Embedded = leak(Embedded::temporary().unwrap());
    let mut source = EmbeddedSource::new(store, QUEUE.to_owned());
    for n in 0..50 {
        store.publish(QUEUE, &[job(n)]).await.unwrap();
        // The store delivers the job to this call, which is dropped.
        assert!(poll!(Box::pin(source.next())).is_pending());
        tokio::time::sleep(Duration::from_millis(1)).await;
        let delivery =
            tokio::time::timeout(PATIENCE, source.next()).await.expect("no job within the time limit");
        assert_eq!(delivery.properties.message_id, Some(format!("job{n}")));
        source.ack(&[delivery.id]).await;
    }
    store.publish(QUEUE, &[job(50)]).await.unwrap();
    assert!(poll!(Box::pin(source.next())).is_pending());
    source.close().await;
    let depths = store.depths().await.unwrap();
    assert_eq!(depths.iter().map(|depth| (depth.ready, depth.unacked)).collect::<Vec<_>>(), [(1, 0)]);
}
