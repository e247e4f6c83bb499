//! The embedded queue as the event source polls it: a batch closes while the store is being asked.

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

// On one thread, so that nothing happens between the question and the look at it.
#[tokio::test]
async fn cancelled_receive_loses_no_job() {
    let store: &'static Embedded = leak(Embedded::temporary().unwrap());
    let mut source = EmbeddedSource::new(store, QUEUE.to_owned());
    for n in 0..50 {
        store.publish(QUEUE, &[job(n)]).await.unwrap();
        // The store hands it out to whoever asked, and nobody listens any more.
        assert!(poll!(Box::pin(source.next())).is_pending());
        tokio::time::sleep(Duration::from_millis(1)).await;
        let delivery = tokio::time::timeout(PATIENCE, source.next()).await.expect("the job comes");
        assert_eq!(delivery.properties.message_id, Some(format!("job{n}")));
        source.ack(&[delivery.id]).await;
    }
    store.publish(QUEUE, &[job(50)]).await.unwrap();
    assert!(poll!(Box::pin(source.next())).is_pending());
    source.close().await;
    let depths = store.depths().await.unwrap();
    assert_eq!(depths.iter().map(|depth| (depth.ready, depth.unacked)).collect::<Vec<_>>(), [(1, 0)]);
}
