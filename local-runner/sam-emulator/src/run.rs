//! The commands, executed for a program's `main`. Output goes to standard output, errors to standard error in
//! one line, and the exit code is 0 or 1.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cli::{Cli, Command, Data, Mode};
use crate::invoke::{Invocation, LogTail};
use crate::mode::{self, Outside};
use crate::output::{BoxError, print};
use crate::plan::Plan;
use crate::platform::Platform;
use crate::queues::report;
use crate::remote;
use crate::runner::{App, Runner};
use crate::schedule::{self, ManualRun, ManualRunEndpoint, ScheduleState, Schedules, SystemClock, Trigger};
use crate::server::Listeners;
use crate::settings::Settings;
use crate::startup::{environment, options, warn_of_other_machines, with_data_directory};
use crate::{admin_task, backup, browser, event_file, output, overview, signals};

/// The number of future runs that `routes` lists per schedule.
const NEXT_RUNS: usize = 5;

/// Executes the command of the program `name`. `variables` are the environment variables that the program
/// documents; they set parameters of the template too. `assemble` connects the application's functions; only
/// commands that run functions call it, and `serve` calls it once the port is open.
pub async fn run<F>(name: &str, variables: &[&str], cli: Cli, assemble: F) -> ExitCode
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    match execute(name, variables, cli, assemble).await {
        Ok(code) => code,
        Err(error) => {
            // If standard error is closed, the exit code still reports the failure.
            let _ = writeln!(io::stderr(), "{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn execute<F>(name: &str, variables: &[&str], cli: Cli, assemble: F) -> Result<ExitCode, BoxError>
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    let settings = Settings::gather(&cli.options, &std::env::current_dir()?, environment(), variables)?;
    let plan = settings.plan()?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(name, plan, settings, assemble).await,
        Command::Invoke { function, event, log_tail } => {
            check_function(&plan, &function)?;
            let mut call = Invocation::new(function, event_file::read(event.as_deref())?);
            call.log_tail = log_tail.then(LogTail::default);
            invoke(plan, settings, call, assemble).await
        }
        Command::Fire { target, at } => {
            let at = at.unwrap_or_else(Timestamp::now);
            fire(plan, settings, &target, at, assemble).await
        }
        Command::Routes => {
            let (schedules, _) = schedules(&plan, &settings)?;
            output::tell(&overview::notices(&plan));
            print(&overview::routes(&plan, &schedules.next_runs(Timestamp::now(), NEXT_RUNS)))
        }
        Command::Functions => {
            output::tell(&overview::notices(&plan));
            print(&overview::functions(&plan))
        }
        Command::Queues { replay_dead } => queues(plan, settings, replay_dead, assemble).await,
        Command::Backup { file } => backup(plan, settings, &std::path::absolute(file)?, assemble).await,
        Command::Task { name } => {
            // Tasks belong to this program and use its stores, wherever the functions run.
            let settings = Settings { mode: Mode::InProcess, ..settings };
            let runner = Runner::new(plan, options(&settings));
            let app = assemble(platform(&runner, &with_data_directory(settings)?)).await?;
            admin_task::run(app.admin_tasks, name.as_deref()).await
        }
    }
}

async fn serve<F>(name: &str, plan: Plan, mut settings: Settings, assemble: F) -> Result<ExitCode, BoxError>
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    let listeners = Listeners::open(settings.host, settings.address.port()).await?;
    settings.address = listeners.local_addr()?;
    warn_of_other_machines(&settings);
    let outside = mode::prepare(&plan, &settings).await?;
    let runner = Runner::new(plan, options(&settings));
    let settings = with_data_directory(settings)?;
    let mut app = assemble(platform(&runner, &settings)).await?;
    if let Some(outside) = outside {
        add_outside(&mut app, outside);
    }
    let missed = add_schedules(&mut app, &runner, &settings)?;
    let mut banner = overview::banner(&runner.plan, settings.address);
    let notices = overview::notices(&runner.plan);
    banner.extend(app.banner.iter().chain(&missed).chain(&notices).map(|line| format!("  {line}\n")));
    banner.push_str(&overview::pages(&app.pages, settings.address));
    print(&format!("{name}: {}\n{banner}", settings.template.display()))?;
    if let (true, Some(page)) = (settings.open, app.pages.first()) {
        browser::open(&overview::page_url(page, settings.address));
    }
    let stop = CancellationToken::new();
    let signals = tokio::spawn(signals::cancel_on_signal(stop.clone()));
    runner.serve(listeners, app, stop).await?;
    signals.abort();
    Ok(ExitCode::SUCCESS)
}

/// Lets the functions run outside this process.
fn add_outside(app: &mut App, outside: Outside) {
    app.invoker = Some(outside.invoker);
    app.banner.splice(0..0, outside.banner);
    if let Some(watch) = outside.watch {
        app.background_task(move |_, stop| watch(stop));
    }
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

/// Invokes the function in this process and prints its reply.
async fn invoke_here<F>(
    plan: Plan,
    settings: Settings,
    call: Invocation,
    assemble: F,
) -> Result<ExitCode, BoxError>
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    // Only this function runs, so no other program has to be found or built.
    let mut only = plan.clone();
    only.functions.retain(|name, _| *name == call.function);
    let outside = mode::prepare(&only, &settings).await?;
    let runner = Runner::new(plan, options(&settings));
    let mut app = assemble(platform(&runner, &with_data_directory(settings)?)).await?;
    app.invoker = outside.map(|outside| outside.invoker);
    let result = runner.invoke(&app, call).await;
    match result {
        Ok(payload) => print(&format!("{}\n", String::from_utf8_lossy(&payload))),
        Err(error) => {
            let Some(payload) = error.function_payload() else { return Err(error.into()) };
            print(&format!("{}\n", String::from_utf8_lossy(&payload)))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Runs a schedule's function. If it succeeds, the run is recorded: by the emulator that serves, or in the
/// data directory when none does.
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
    let call = schedule::fire(&plan.schedules, target, at, &plan.account)?;
    let run = ManualRun { schedule: schedule::find(&plan.schedules, target)?.name.clone(), at };
    if let Some(code) = remote::invoke(settings.address, &call).await? {
        if code == ExitCode::SUCCESS {
            remote::record(settings.address, &run).await?;
        }
        return Ok(code);
    }
    let (_, mut state) = schedules(&plan, &settings)?;
    let code = invoke_here(plan, settings, call, assemble).await?;
    if code == ExitCode::SUCCESS && run.is_due(Timestamp::now()) {
        state.record(&run.schedule, run.at);
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
        return print(&report.text());
    }
    let runner = Runner::new(plan, options(&settings));
    let app = assemble(platform(&runner, &with_data_directory(settings)?)).await?;
    let Some(admin) = app.queue_admin else { return print(&overview::queues(&runner.plan)) };
    print(&report(&*admin, replay_dead).await?.text())
}

/// Writes a backup: through the emulator that serves, or from the data directory when none does.
async fn backup<F>(plan: Plan, settings: Settings, file: &Path, assemble: F) -> Result<ExitCode, BoxError>
where
    F: AsyncFnOnce(Platform) -> Result<App, BoxError>,
{
    if backup::write_remotely(settings.address, file).await?.is_none() {
        let runner = Runner::new(plan, options(&settings));
        let app = assemble(platform(&runner, &with_data_directory(settings)?)).await?;
        let Some(backup) = app.backup else {
            return Err("there is nothing to back up here: the data is on servers".into());
        };
        backup.write(file.to_owned()).await?;
    }
    print(&format!("{}\n", file.display()))
}

fn platform(runner: &Runner, settings: &Arc<Settings>) -> Platform {
    Platform {
        plan: Arc::clone(&runner.plan),
        settings: Arc::clone(settings),
        asynchronous: runner.asynchronous.clone(),
        connections: runner.connections.clone(),
    }
}

/// The plan's schedules, and their state from the data directory.
fn schedules(plan: &Plan, settings: &Settings) -> Result<(Schedules, ScheduleState), BoxError> {
    let mut state = match &settings.data {
        Data::Memory => ScheduleState::in_memory(),
        Data::Directory(directory) => ScheduleState::open(directory.join("schedules.json"))?,
    };
    Ok((Schedules::new(plan.schedules.clone(), &mut state, Timestamp::now())?, state))
}

/// Adds the trigger of the schedules to `app`. Returns lines for the banner about missed runs.
fn add_schedules(app: &mut App, runner: &Runner, settings: &Settings) -> Result<Vec<String>, BoxError> {
    let (schedules, state) = schedules(&runner.plan, settings)?;
    let missed = overview::missed(&schedules.missed());
    let async_invoker = runner.asynchronous.clone();
    let invoke = Arc::new(move |call| async_invoker.deliver(call));
    let (sender, manual_runs) = mpsc::unbounded_channel();
    app.endpoint(move |_| ManualRunEndpoint(sender));
    let account = runner.plan.account.clone();
    let trigger = Trigger::new(schedules, state, account, Arc::new(SystemClock), invoke);
    let trigger = trigger.with_manual_runs(manual_runs);
    app.background_task(move |_, stop| async move { trigger.run(stop.cancelled()).await });
    Ok(missed)
}

fn check_function(plan: &Plan, function: &str) -> Result<(), BoxError> {
    if plan.functions.contains_key(function) {
        return Ok(());
    }
    let names: Vec<&str> = plan.functions.keys().map(String::as_str).collect();
    Err(format!("no function named {function}; there are: {}", names.join(", ")).into())
}
