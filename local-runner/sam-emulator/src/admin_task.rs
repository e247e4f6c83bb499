//! Administrative tasks of an application, run once from the command line (`task <name>`): creating what its
//! servers need, rebuilding an index. A task prints its progress while it runs.

use std::process::ExitCode;
use std::sync::Arc;

use crate::invoke::BoxFuture;
use crate::output::{BoxError, print};
use crate::table::table;

/// Prints one line of progress on standard output.
pub type PrintLine = Arc<dyn Fn(&str) + Send + Sync>;

/// One administrative task.
pub struct AdminTask {
    /// The argument of the command `task` that runs it.
    pub name: &'static str,
    /// One sentence for the list of tasks.
    pub about: &'static str,
    run: Box<dyn FnOnce(PrintLine) -> BoxFuture<Result<(), BoxError>> + Send>,
}

impl AdminTask {
    /// A task whose work is `run`. An error of `run` is printed and ends the process with a failure.
    pub fn new<F>(
        name: &'static str,
        about: &'static str,
        run: impl FnOnce(PrintLine) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self { name, about, run: Box::new(move |print_line| Box::pin(run(print_line))) }
    }
}

/// Runs the task named `name`; without a name, lists all tasks.
pub(crate) async fn run(tasks: Vec<AdminTask>, name: Option<&str>) -> Result<ExitCode, BoxError> {
    let list = table(["TASK", "WHAT IT DOES"], &rows(&tasks));
    let Some(name) = name else { return print(&list) };
    let Some(task) = tasks.into_iter().find(|task| task.name == name) else {
        return Err(format!("no task named {name}; there are:\n{list}").into());
    };
    let print_line = |line: &str| {
        // The task goes on even when nothing reads its output any more.
        let _ = print(&format!("{line}\n"));
    };
    (task.run)(Arc::new(print_line)).await?;
    Ok(ExitCode::SUCCESS)
}

fn rows(tasks: &[AdminTask]) -> Vec<[String; 2]> {
    tasks.iter().map(|task| [task.name.to_owned(), task.about.to_owned()]).collect()
}
