//! Functions in Node.js and Python: started by AWS's own runtime interface clients, `aws-lambda-ric` (npm)
//! and `awslambdaric` (PyPI), where these are installed.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::launch::{Launch, is_executable};
use crate::plan::CodePlan;

/// The runtime of a function, as far as this machine can run it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runtime {
    /// `provided*`: the program `bootstrap`.
    Provided,
    Node,
    Python,
}

/// The runtime of a function.
///
/// # Errors
/// A runtime or package type that is not run here; the text names it.
pub(super) fn of(code: &CodePlan) -> Result<Runtime, String> {
    if code.is_image {
        return Err("PackageType Image is not run here; only code in a folder is".to_owned());
    }
    if code.is_inline {
        return Err(
            "InlineCode is not run here: put the code into a file, and name its folder in CodeUri".to_owned()
        );
    }
    match code.runtime.as_str() {
        "" => Ok(Runtime::Provided),
        runtime if runtime.starts_with("provided") => Ok(Runtime::Provided),
        runtime if runtime.starts_with("nodejs") => Ok(Runtime::Node),
        runtime if runtime.starts_with("python3") => Ok(Runtime::Python),
        other => Err(format!("Runtime {other} is not run here; provided.*, nodejs* and python3* are")),
    }
}

/// Finds Node.js and `aws-lambda-ric` for a function in `folder`.
///
/// # Errors
/// One of them is missing; the text says how to install it.
pub(super) fn node(folder: &Path, code: &CodePlan) -> Result<Launch, String> {
    let program = in_path("node").ok_or("node is not installed")?;
    let script = folder
        .ancestors()
        .map(|folder| folder.join("node_modules/aws-lambda-ric/bin/index.mjs"))
        .find(|script| script.is_file())
        .or_else(|| in_path("aws-lambda-ric"))
        .ok_or_else(|| {
            format!("its runtime client is missing: run `npm install aws-lambda-ric` in {}", folder.display())
        })?;
    let arguments = vec![script.into(), handler(code)?];
    Ok(Launch { program, arguments, task_root: folder.to_owned() })
}

/// Finds a Python with `awslambdaric` for a function in `folder`: of a virtual environment in the folder or
/// above, of the active one, or of the system.
///
/// # Errors
/// There is none; the text says how to install it.
pub(super) async fn python(folder: &Path, code: &CodePlan) -> Result<Launch, String> {
    let near = folder.ancestors().flat_map(|folder| [".venv", "venv"].map(|name| folder.join(name)));
    let environments = near.chain(env::var_os("VIRTUAL_ENV").map(PathBuf::from));
    let interpreters =
        environments.map(|folder| folder.join("bin/python")).filter(|program| program.is_file());
    for program in interpreters.chain(in_path("python3")) {
        if has_runtime_client(&program, folder).await {
            let arguments = vec!["-m".into(), "awslambdaric".into(), handler(code)?];
            return Ok(Launch { program, arguments, task_root: folder.to_owned() });
        }
    }
    let place = folder.display();
    Err(format!(
        "its runtime client is missing: run `pip install awslambdaric`, for example in {place}/.venv"
    ))
}

async fn has_runtime_client(python: &Path, folder: &Path) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", "import awslambdaric"]).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().await.is_ok_and(|status| status.success())
}

fn handler(code: &CodePlan) -> Result<OsString, String> {
    if code.handler.is_empty() { Err("Handler is missing".to_owned()) } else { Ok((&code.handler).into()) }
}

/// A program of the search path.
fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| is_executable(program))
}
