//! `local-runner` — starts every function of the template on this machine, over embedded or real stores.

mod admin_tasks;
mod embedded_data;
mod in_process;
mod index;
mod outside;
mod pages;
mod presence;
mod queues;
mod registry;
mod secret;
mod stores;
mod wiring;

use std::process::ExitCode;

use sam_emulator::BoxError;
use sam_emulator::Platform;
use sam_emulator::cli::{Cli, Mode};
use sam_emulator::run::run;
use sam_emulator::runner::App;
use shared::telemetry;

/// The name of this program in its help, banner and errors.
const NAME: &str = "local-runner";

/// What is logged unless `RUST_LOG` says otherwise: no line per request, so that a load test measures us.
const LOGS: &str = "info,ulak::request=warn";

/// The environment variables of README's table. Those that parameters of the template are named after set them
/// too, as the names of `--env-file` do.
const VARIABLES: &[&str] = &[
    "ACTIVE_DAYS",
    "ALLOW_ORIGIN",
    "AMQP_URL",
    "AUTO_MESSAGE_TEXTS",
    "BROKER_VIRTUAL_HOST",
    "ELASTICSEARCH_URL",
    "FANOUT_DIRECT",
    "FUNCTION_PREFIX",
    "JWT_SECRET",
    "LOG_FILTER",
    "MAX_CONNECTIONS_PER_ADDRESS",
    "MAX_CONNECTIONS_PER_USER",
    "MONGODB_URI",
    "PING_INTERVAL_SECONDS",
    "PING_TIMEOUT_SECONDS",
    "PLANNER_TIMEZONE",
    "PRESENCE_AUDIENCE",
    "PRESENCE_GRACE_MS",
    "RATE_LIMIT_SCALE",
    "REDIS_URL",
    "SEND_WINDOW_MINUTES",
    "STAGE_NAME",
    "TRUSTED_PROXIES",
];

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse_as(NAME);
    telemetry::start(LOGS);
    run(NAME, VARIABLES, cli, assemble).await
}

/// Joins the stores that the environment names with the functions of the template. Functions that run outside this
/// process connect their own stores; only the queues are fed from here.
async fn assemble(platform: Platform) -> Result<App, BoxError> {
    let mut app = match platform.settings.mode {
        Mode::InProcess => assemble_in_process(&platform).await?,
        Mode::Process | Mode::Remote(_) => outside::assemble(&platform).await?,
    };
    app.pages = pages::pages(&platform.plan);
    Ok(app)
}

async fn assemble_in_process(platform: &Platform) -> Result<App, BoxError> {
    let (wiring, banner) = wiring::connect(platform).await?;
    let mut app = App::of(registry::registry(&platform.plan, wiring));
    app.banner = banner;
    presence::announce(&mut app, platform);
    wiring.stores.broker.serve(&mut app, &platform.plan)?;
    app.admin_tasks = admin_tasks::admin_tasks(&wiring.stores, &platform.plan);
    if let Some(store) = wiring.stores.embedded {
        embedded_data::add(&mut app, store);
    }
    if wiring.stores.index.is_some() {
        index::sweep(&mut app);
    }
    Ok(app)
}
