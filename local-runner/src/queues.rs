//! The queues: RabbitMQ if `AMQP_URL` is set, otherwise the embedded store with the same semantics. Each queue
//! feeds its function through the emulator's event source.

use std::sync::Arc;
use std::time::Duration;

use adapter_embedded::Embedded;
use adapter_rabbitmq::RabbitMq;
use local_runner::embedded_source::EmbeddedSource;
use sam_emulator::BoxError;
use sam_emulator::event_source::{self, Poller, Source};
use sam_emulator::invoke::BoxFuture;
use sam_emulator::plan::{Plan, QueuePlan};
use sam_emulator::queues::{QueueAdmin, QueueDepth};
use sam_emulator::runner::App;
use shared::ports::Outbox;

/// The pause between attempts to declare a queue while the broker is down.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The broker in use.
#[derive(Clone, Copy)]
pub(crate) enum Broker {
    /// The embedded queue.
    Embedded(&'static Embedded),
    /// RabbitMQ, and its URL for the consumers' own connections.
    RabbitMq(&'static RabbitMq, &'static str),
}

impl Broker {
    /// The port that publishes.
    pub(crate) fn outbox(self) -> &'static dyn Outbox {
        match self {
            Self::Embedded(embedded) => embedded,
            Self::RabbitMq(rabbit, _) => rabbit,
        }
    }

    /// Feeds every queue of the plan to its function, and serves `/_runner/queues`.
    pub(crate) fn serve(self, app: &mut App, plan: &Plan) -> Result<(), BoxError> {
        let queues: Vec<QueuePlan> = plan.queues.iter().filter(|queue| queue.enabled).cloned().collect();
        for queue in &queues {
            match self {
                Self::Embedded(store) => {
                    let source = EmbeddedSource::new(store, queue.queue.clone());
                    feed(app, queue.clone(), source);
                }
                Self::RabbitMq(rabbit, url) => {
                    declare(app, rabbit, queue.queue.clone());
                    feed(app, queue.clone(), event_source::RabbitMq::new(url, queue)?);
                }
            }
        }
        let names = queues.into_iter().map(|queue| queue.queue).collect();
        app.queue_admin = Some(Arc::new(Admin { broker: self, queues: names }));
        Ok(())
    }
}

fn feed<S: Source + Sync>(app: &mut App, queue: QueuePlan, source: S) {
    app.background_task(move |invoker, stop| async move {
        Poller::new(queue, source, invoker).run(stop.cancelled()).await;
    });
}

/// Declares a queue with its `.retry` and `.dead`, and keeps trying: the event source declares none, and the broker
/// may start after the runner.
fn declare(app: &mut App, rabbit: &'static RabbitMq, queue: String) {
    app.background_task(move |_, stop| async move {
        while rabbit.declare(&queue).await.is_err() {
            let pause = tokio::time::sleep(RETRY_INTERVAL);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    });
}

/// The queues as operators see them.
struct Admin {
    broker: Broker,
    queues: Vec<String>,
}

impl QueueAdmin for Admin {
    fn depths(&self) -> BoxFuture<Result<Vec<QueueDepth>, BoxError>> {
        let (broker, queues) = (self.broker, self.queues.clone());
        Box::pin(async move {
            match broker {
                Broker::Embedded(store) => Ok(store.depths().await?.into_iter().map(of_embedded).collect()),
                Broker::RabbitMq(rabbit, _) => of_rabbitmq(rabbit, &queues).await,
            }
        })
    }

    fn replay_dead(&self) -> BoxFuture<Result<u64, BoxError>> {
        let (broker, queues) = (self.broker, self.queues.clone());
        Box::pin(async move {
            let mut replayed = 0;
            for queue in &queues {
                replayed += match broker {
                    Broker::Embedded(store) => store.replay_dead(queue).await?,
                    Broker::RabbitMq(rabbit, _) => rabbit.replay_dead(queue).await?,
                };
            }
            Ok(replayed)
        })
    }
}

fn of_embedded(depth: adapter_embedded::Depth) -> QueueDepth {
    QueueDepth { queue: depth.queue, ready: depth.ready, unacked: depth.unacked }
}

async fn of_rabbitmq(rabbit: &RabbitMq, queues: &[String]) -> Result<Vec<QueueDepth>, BoxError> {
    let mut depths = Vec::new();
    for queue in queues {
        let found = rabbit.queues(queue).await?;
        depths.extend(found.into_iter().map(|depth| QueueDepth {
            queue: depth.queue,
            ready: depth.messages.into(),
            unacked: 0,
        }));
    }
    Ok(depths)
}
