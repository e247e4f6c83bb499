//! The commands: what `main` calls with the parsed command line and its functions. Output goes to standard
//! output, problems to standard error in one line, and the exit code tells.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cli::{Cli, Command, Data};
use crate::invoke::asynchronous::AsyncInvoker;
use crate::invoke::{FunctionError, Invocation, InvokeError};
use crate::output::{BoxError, say};
use crate::plan::Plan;
use crate::queues::report;
use crate::remote;
use crate::runner::{App, Options, Runner};
use crate::schedule::{self, Fired, FiredMount, Place, Schedules, State, SystemClock, Trigger};
use crate::settings::Settings;
use crate::websocket::Connections;
use crate::{one_off, overview, server, signals};

/// How many coming runs of each schedule are listed.
const NEXT_RUNS: usize = 5;

/// What the platform gives to the functions that are put together for it.
#[derive(Clone)]
pub struct Platform {
    /// What the template asks for.
    pub plan: Arc<Plan>,
    /// Options and values; the address has its real port here.
    pub settings: Arc<Settings>,
    /// Lambda's queue for asynchronous invocations.
    pub asynchronous: AsyncInvoker,
    /// The open WebSockets: `@connections` without a network between.
    pub connections: Connections,
}

/// Does what the command line asks for. `assemble` connects the functions of the template; it is called
/// only by the commands that run functions, once the port is open.
pub async fn run<F>(cli: Cli, assemble: F) -> ExitCode
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    match execute(cli, assemble).await {
        Ok(code) => code,
        Err(error) => {
            // Without standard error there is nobody to tell.
            let _ = writeln!(io::stderr(), "local-runner: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn execute<F>(cli: Cli, assemble: F) -> Result<ExitCode, BoxError>
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    let settings = Settings::gather(&cli.options, &std::env::current_dir()?, environment())?;
    let plan = settings.plan()?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(plan, settings, assemble).await,
        Command::Invoke { function, event } => {
            known(&plan, &function)?;
            let call = Invocation::new(function, read_event(event.as_deref())?);
            invoke(plan, settings, call, assemble).await
        }
        Command::Fire { target, at } => {
            let at = at.unwrap_or_else(Timestamp::now);
            fire(plan, settings, &target, at, assemble).await
        }
        Command::Routes => {
            let (schedules, _) = schedules(&plan, &settings)?;
            say(&overview::routes(&plan, &schedules.next_runs(Timestamp::now(), NEXT_RUNS)))
        }
        Command::Functions => say(&overview::functions(&plan)),
        Command::Queues { replay_dead } => queues(plan, settings, replay_dead, assemble).await,
        Command::Task { name } => {
            let runner = Runner::new(plan, options(&settings));
            let app = assemble(platform(&runner, &prepared(settings)?)).await?;
            one_off::run(app.one_offs, name.as_deref()).await
        }
    }
}

async fn serve<F>(plan: Plan, mut settings: Settings, assemble: F) -> Result<ExitCode, BoxError>
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    let listener = server::bind(settings.address).await?;
    settings.address = listener.local_addr()?;
    let runner = Runner::new(plan, options(&settings));
    let settings = prepared(settings)?;
    let mut app = assemble(platform(&runner, &settings)).await?;
    let missed = add_schedules(&mut app, &runner, &settings)?;
    let mut banner = overview::banner(&runner.plan, settings.address);
    banner.extend(app.banner.iter().chain(&missed).map(|line| format!("  {line}\n")));
    say(&format!("local-runner: {}\n{banner}", settings.template.display()))?;
    let stop = CancellationToken::new();
    let signals = tokio::spawn(signals::cancel_on_signal(stop.clone()));
    runner.serve(listener, app, stop).await?;
    signals.abort();
    Ok(ExitCode::SUCCESS)
}

async fn invoke<F>(
    plan: Plan,
    settings: Settings,
    call: Invocation,
    assemble: F,
) -> Result<ExitCode, BoxError>
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    match remote::invoke(settings.address, &call).await? {
        Some(code) => Ok(code),
        None => invoke_here(plan, settings, call, assemble).await,
    }
}

/// Invokes in this process, which ends with it.
async fn invoke_here<F>(
    plan: Plan,
    settings: Settings,
    call: Invocation,
    assemble: F,
) -> Result<ExitCode, BoxError>
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    let runner = Runner::new(plan, options(&settings));
    let app = assemble(platform(&runner, &prepared(settings)?)).await?;
    match runner.invoke(app, call).await {
        Ok(payload) => say(&format!("{}\n", String::from_utf8_lossy(&payload))),
        Err(InvokeError::Function { error_type, message }) => {
            say(&format!("{}\n", FunctionError { error_type, message }.payload()))?;
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

/// Fires, and if that went well remembers the run with the runner that serves, or in the data directory.
async fn fire<F>(
    plan: Plan,
    settings: Settings,
    target: &str,
    at: Timestamp,
    assemble: F,
) -> Result<ExitCode, BoxError>
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    let call = schedule::fire(&plan.schedules, target, at, &place(&plan))?;
    let fired = Fired { schedule: schedule::find(&plan.schedules, target)?.name.clone(), at };
    if let Some(code) = remote::invoke(settings.address, &call).await? {
        if code == ExitCode::SUCCESS {
            remote::fired(settings.address, &fired).await?;
        }
        return Ok(code);
    }
    let (_, mut state) = schedules(&plan, &settings)?;
    let code = invoke_here(plan, settings, call, assemble).await?;
    if code == ExitCode::SUCCESS && fired.counts(Timestamp::now()) {
        state.record(&fired.schedule, fired.at);
        state.save().await?;
    }
    Ok(code)
}

async fn queues<F>(
    plan: Plan,
    settings: Settings,
    replay_dead: bool,
    assemble: F,
) -> Result<ExitCode, BoxError>
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    if let Some(report) = remote::queues(settings.address, replay_dead).await? {
        return say(&report.text());
    }
    let runner = Runner::new(plan, options(&settings));
    let app = assemble(platform(&runner, &prepared(settings)?)).await?;
    let Some(desk) = app.queues else { return say(&overview::queues(&runner.plan)) };
    say(&report(&*desk, replay_dead).await?.text())
}

/// Variables whose names and values are text; others cannot be meant for a template.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn prepared(settings: Settings) -> Result<Arc<Settings>, BoxError> {
    if let Data::Directory(directory) = &settings.data {
        fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    }
    Ok(Arc::new(settings))
}

/// `RATE_LIMIT_SCALE` multiplies the gateway's limit on new connections too; 0 switches it off.
fn options(settings: &Settings) -> Options {
    let mut options = Options::default();
    let scale = settings.value("RATE_LIMIT_SCALE").and_then(|scale| scale.parse::<f64>().ok());
    if let (Some(scale), Some(limit)) = (scale, options.websocket.connects_per_second) {
        let scaled = (f64::from(limit) * scale) as u32;
        options.websocket.connects_per_second = (scaled > 0).then_some(scaled);
    }
    options
}

fn platform(runner: &Runner, settings: &Arc<Settings>) -> Platform {
    Platform {
        plan: Arc::clone(&runner.plan),
        settings: Arc::clone(settings),
        asynchronous: runner.asynchronous.clone(),
        connections: runner.connections.clone(),
    }
}

fn place(plan: &Plan) -> Place {
    Place { region: plan.account.region.clone(), account: plan.account.id.clone() }
}

/// The plan's schedules, with what the data directory remembers of them.
fn schedules(plan: &Plan, settings: &Settings) -> Result<(Schedules, State), BoxError> {
    let mut state = match &settings.data {
        Data::Memory => State::in_memory(),
        Data::Directory(directory) => State::open(directory.join("schedules.json"))?,
    };
    Ok((Schedules::new(plan.schedules.clone(), &mut state, Timestamp::now())?, state))
}

/// Starts the schedules with the app; lines for the banner about runs that were missed.
fn add_schedules(app: &mut App, runner: &Runner, settings: &Settings) -> Result<Vec<String>, BoxError> {
    let (schedules, state) = schedules(&runner.plan, settings)?;
    let missed = overview::missed(&schedules.missed());
    let events = runner.asynchronous.clone();
    let invoke = Arc::new(move |call| events.deliver(call));
    let (told, by_hand) = mpsc::unbounded_channel();
    app.mount(move |_| FiredMount(told));
    let trigger = Trigger::new(schedules, state, place(&runner.plan), Arc::new(SystemClock), invoke);
    let trigger = trigger.hearing(by_hand);
    app.task(move |_, stop| async move { trigger.run(stop.cancelled()).await });
    Ok(missed)
}

fn known(plan: &Plan, function: &str) -> Result<(), BoxError> {
    if plan.functions.contains_key(function) {
        return Ok(());
    }
    let names: Vec<&str> = plan.functions.keys().map(String::as_str).collect();
    Err(format!("no function named {function}; there are: {}", names.join(", ")).into())
}

fn read_event(file: Option<&Path>) -> Result<Bytes, BoxError> {
    let Some(file) = file else { return Ok(Bytes::from_static(b"{}")) };
    let mut event = Vec::new();
    if file == Path::new("-") {
        io::stdin().read_to_end(&mut event)?;
    } else {
        event = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(&event)
        .map_err(|error| format!("{} is not JSON: {error}", file.display()))?;
    Ok(event.into())
}
