//! What an application can do once from the command line, `local-runner task <name>`: setting up, building
//! something anew. It says how far it is while it works.

use std::process::ExitCode;
use std::sync::Arc;

use crate::invoke::BoxFuture;
use crate::output::{BoxError, say};
use crate::table::table;

/// Prints a line for whoever waits.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Something that is done once.
pub struct OneOff {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    run: Box<dyn FnOnce(Tell) -> BoxFuture<Result<(), BoxError>> + Send>,
}

impl OneOff {
    /// A name, a sentence, and what is done.
    pub fn new<F>(
        name: &'static str,
        about: &'static str,
        run: impl FnOnce(Tell) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self { name, about, run: Box::new(move |tell| Box::pin(run(tell))) }
    }
}

/// Does the one that is named, or lists all.
///
/// # Errors
/// None has that name, or it failed.
pub(crate) async fn run(all: Vec<OneOff>, name: Option<&str>) -> Result<ExitCode, BoxError> {
    let list = table(["TASK", "WHAT IT DOES"], &rows(&all));
    let Some(name) = name else { return say(&list) };
    let Some(found) = all.into_iter().find(|one| one.name == name) else {
        return Err(format!("no task named {name}; there are:\n{list}").into());
    };
    let tell = |line: &str| {
        // A reader that has gone away does not stop the work.
        let _ = say(&format!("{line}\n"));
    };
    (found.run)(Arc::new(tell)).await?;
    Ok(ExitCode::SUCCESS)
}

fn rows(all: &[OneOff]) -> Vec<[String; 2]> {
    all.iter().map(|one| [one.name.to_owned(), one.about.to_owned()]).collect()
}
