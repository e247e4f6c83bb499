//! The queues behind `message_sending_queue` and its kin: RabbitMQ where `AMQP_URL` is set, otherwise the
//! embedded store with the same semantics. Each feeds its function through the runner's event source.

use std::sync::Arc;
use std::time::Duration;

use adapter_embedded::Embedded;
use adapter_rabbitmq::RabbitMq;
use local_runner::embedded_source::EmbeddedSource;
use sam_emulator::BoxError;
use sam_emulator::event_source::{self, Poller, Source};
use sam_emulator::invoke::BoxFuture;
use sam_emulator::plan::{Plan, QueuePlan};
use sam_emulator::queues::{Depth, QueueDesk};
use sam_emulator::runner::App;
use shared::ports::Outbox;

/// How often a broker that is not up is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The broker that serves.
#[derive(Clone, Copy)]
pub(crate) enum Broker {
    /// The embedded queue.
    Embedded(&'static Embedded),
    /// RabbitMQ, and its URL for the consumers' own connections.
    RabbitMq(&'static RabbitMq, &'static str),
}

impl Broker {
    /// The publishing side.
    pub(crate) fn outbox(self) -> &'static dyn Outbox {
        match self {
            Self::Embedded(embedded) => embedded,
            Self::RabbitMq(rabbit, _) => rabbit,
        }
    }

    /// Feeds every queue of the plan to its function, and puts the desk on the port.
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
        app.queues = Some(Arc::new(Desk { broker: self, queues: names }));
        Ok(())
    }
}

fn feed<S: Source + Sync>(app: &mut App, queue: QueuePlan, source: S) {
    app.task(move |invoker, stop| async move {
        Poller::new(queue, source, invoker).run(stop.cancelled()).await;
    });
}

/// The event source never declares a queue, and the broker may come up after the runner: so this keeps
/// trying until the topology stands.
fn declare(app: &mut App, rabbit: &'static RabbitMq, queue: String) {
    app.task(move |_, stop| async move {
        while rabbit.declare(&queue).await.is_err() {
            let pause = tokio::time::sleep(LOOK_AGAIN);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    });
}

/// The operator's view.
struct Desk {
    broker: Broker,
    queues: Vec<String>,
}

impl QueueDesk for Desk {
    fn depths(&self) -> BoxFuture<Result<Vec<Depth>, BoxError>> {
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

fn of_embedded(depth: adapter_embedded::Depth) -> Depth {
    Depth { queue: depth.queue, ready: depth.ready, unacked: depth.unacked }
}

async fn of_rabbitmq(rabbit: &RabbitMq, queues: &[String]) -> Result<Vec<Depth>, BoxError> {
    let mut depths = Vec::new();
    for queue in queues {
        let found = rabbit.queues(queue).await?;
        depths.extend(found.into_iter().map(|depth| Depth {
            queue: depth.queue,
            ready: depth.messages.into(),
            unacked: 0,
        }));
    }
    Ok(depths)
}
