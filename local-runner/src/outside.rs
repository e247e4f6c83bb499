//! What this program adds when the functions run in processes of their own or at another Invoke API: it feeds the
//! template's queues from RabbitMQ, and sweeps the search index. It opens no store.

use adapter_rabbitmq::RabbitMq;
use sam_emulator::BoxError;
use sam_emulator::Platform;
use sam_emulator::runner::App;
use shared::config::Env;
use shared::lambda::{Component as _, leak};

use crate::index;
use crate::presence;
use crate::queues::Broker;

/// Assembles the application without functions.
///
/// # Errors
/// `AMQP_URL` cannot be read.
pub(crate) async fn assemble(platform: &Platform) -> Result<App, BoxError> {
    let (plan, settings) = (&platform.plan, &platform.settings);
    let mut app = App::default();
    presence::announce(&mut app, platform);
    let queues: Vec<_> = plan.queues.iter().filter(|queue| queue.enabled).collect();
    match settings.value("AMQP_URL").filter(|_| !queues.is_empty()) {
        Some(url) => {
            let mut env = Env::of(settings.values.clone());
            let config = RabbitMq::read(&mut env);
            env.finish()?;
            let rabbit = RabbitMq::connect(config).await.map_err(|fatal| format!("{fatal:?}"))?;
            Broker::RabbitMq(leak(rabbit), leak(url.to_owned())).serve(&mut app, plan)?;
            app.banner.push("queues       RabbitMQ (AMQP_URL)".to_owned());
        }
        None => app.banner.extend(queues.iter().map(|queue| {
            format!("not fed      the queue {} of {}: AMQP_URL is not set", queue.queue, queue.function)
        })),
    }
    if settings.value("ELASTICSEARCH_URL").is_some() && plan.functions.contains_key(index::SWEEPER) {
        index::sweep(&mut app);
    }
    Ok(app)
}
