//! Cargo, as the finder of programs needs it: the packages of a workspace, and one build of several binaries.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

/// A cargo workspace, as `cargo metadata` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(super) root: PathBuf,
    #[serde(rename = "target_directory")]
    pub(super) target: PathBuf,
    pub(super) packages: Vec<Package>,
}

/// A package of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// A binary target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Binary {
    pub(super) package: String,
    pub(super) name: String,
}

/// A binary that a build has made or found up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) name: String,
    pub(super) executable: PathBuf,
    /// False when the build has written it anew.
    pub(super) is_fresh: bool,
}

/// One line of `cargo build --message-format json`.
#[derive(Deserialize)]
struct BuildMessage {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
    #[serde(default)]
    fresh: bool,
}

impl Package {
    /// The folder of its manifest.
    pub(super) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    pub(super) fn binaries(&self) -> impl Iterator<Item = Binary> {
        let binaries = self.targets.iter().filter(|target| target.is_binary());
        binaries.map(|target| Binary { package: self.name.clone(), name: target.name.clone() })
    }
}

impl Target {
    fn is_binary(&self) -> bool {
        self.kind.iter().any(|kind| kind == "bin")
    }
}

/// The workspace that `folder` belongs to; `None` when no `Cargo.toml` is there or above.
///
/// # Errors
/// Cargo cannot be started or refuses the workspace.
pub(super) async fn workspace(folder: &Path) -> Result<Option<Workspace>, String> {
    if !folder.ancestors().any(|folder| folder.join("Cargo.toml").is_file()) {
        return Ok(None);
    }
    let mut command = Command::new("cargo");
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(folder).stdin(Stdio::null());
    let output = command.output().await.map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo metadata failed in {}: {}", folder.display(), text.trim()));
    }
    serde_json::from_slice(&output.stdout).map(Some).map_err(|error| format!("cargo metadata: {error}"))
}

/// Builds binaries of one workspace with one command. Cargo's progress and its errors go to standard error.
///
/// # Errors
/// Cargo cannot be started, or the build fails.
pub(super) async fn build(root: &Path, binaries: &[Binary]) -> Result<Vec<Built>, String> {
    let mut command = Command::new("cargo");
    command.args(["build", "--message-format", "json-render-diagnostics"]).current_dir(root);
    for binary in binaries {
        command.args(["--package", &binary.package, "--bin", &binary.name]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().map_err(|error| format!("cannot start cargo: {error}"))?;
    let output = child.wait_with_output().await.map_err(|error| format!("cargo build: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo build failed in {}", root.display()));
    }
    let lines = output.stdout.split(|byte| *byte == b'\n');
    Ok(lines.filter_map(|line| built(serde_json::from_slice(line).ok()?)).collect())
}

fn built(message: BuildMessage) -> Option<Built> {
    let target = message.target.filter(Target::is_binary)?;
    let executable = message.executable.filter(|_| message.reason == "compiler-artifact")?;
    Some(Built { name: target.name, executable, is_fresh: message.fresh })
}
