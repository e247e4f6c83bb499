//! The invoker that `--mode` asks for, when the functions do not run in this process.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::address;
use crate::cli::Mode;
use crate::invoke::{BoxFuture, Invoker, Remote};
use crate::output::BoxError;
use crate::plan::Plan;
use crate::process::watch::Watcher;
use crate::process::{HostEnvironment, ProcessOptions, Processes, Programs, Search};
use crate::settings::Settings;

/// Work of `--watch` that runs until the token is cancelled.
pub(crate) type Watch = Box<dyn FnOnce(CancellationToken) -> BoxFuture<()> + Send>;

/// Functions that run outside this process.
pub(crate) struct Outside {
    pub(crate) invoker: Arc<dyn Invoker>,
    /// Lines for the banner.
    pub(crate) banner: Vec<String>,
    pub(crate) watch: Option<Watch>,
}

/// Prepares the functions of `plan` for the mode of the settings; `None` when they run in this process. In
/// process mode it finds the programs, and builds those that are missing.
///
/// # Errors
/// A function has no program or cannot run here, a build fails, or an option does not fit the mode.
pub(crate) async fn prepare(plan: &Plan, settings: &Settings) -> Result<Option<Outside>, BoxError> {
    if settings.process.watch && settings.mode != Mode::Process {
        return Err("--watch needs --mode process".into());
    }
    match &settings.mode {
        Mode::InProcess => Ok(None),
        Mode::Process => processes(plan, settings).await.map(Some),
        Mode::Remote(url) => {
            let banner = vec![format!("functions    the Invoke API at {url}")];
            Ok(Some(Outside { invoker: Arc::new(Remote::new(plan, url.clone())), banner, watch: None }))
        }
    }
}

async fn processes(plan: &Plan, settings: &Settings) -> Result<Outside, BoxError> {
    let folder = settings.template.canonicalize()?;
    let search = Search {
        template_folder: folder.parent().unwrap_or(&folder).to_owned(),
        bin_dir: settings.process.bin_dir.clone(),
        skip_unsupported: settings.process.skip_unsupported,
        build_always: settings.process.watch,
    };
    let mut programs = Programs::find(plan, &search).await?;
    let watcher = if settings.process.watch { Some(Watcher::new(&mut programs)?) } else { None };
    let names = settings.env_file_names.iter();
    let variables =
        names.filter_map(|name| Some((name.clone(), settings.values.get(name)?.clone()))).collect();
    let host = HostEnvironment {
        address: settings.address,
        account: plan.account.clone(),
        prefixes: address::prefixes(plan),
        variables,
    };
    let max_instances = settings.process.max_instances.into();
    let options = ProcessOptions { max_instances, ..ProcessOptions::default() };
    let processes = Processes::new(plan, &programs, &host, &options)?;
    let mut banner = programs.summary();
    let watch = watcher.map(|watcher| {
        banner.push("watch        functions are rebuilt when their sources change".to_owned());
        let processes = processes.clone();
        let run: Watch = Box::new(move |stop| Box::pin(watcher.run(processes, stop)));
        run
    });
    Ok(Outside { invoker: Arc::new(processes), banner, watch })
}
