//! Finds the program of every function: in `--bin-dir`, as `bootstrap` in the function's `CodeUri` folder, as
//! cargo-lambda or cargo has built it, or else by building it. What is missing is built with one command per
//! workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cargo::{self, Binary, Workspace};
use super::launch::{Launch, is_executable};
use super::runtimes::{self, Runtime};
use crate::plan::{FunctionPlan, Plan};

/// Where to look for programs.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The template's folder, which `CodeUri` is relative to.
    pub template_folder: PathBuf,
    /// `--bin-dir`.
    pub bin_dir: Option<PathBuf>,
    /// `--skip-unsupported`: functions that cannot run here are left out instead of ending the start.
    pub skip_unsupported: bool,
    /// `--watch`: what cargo can build is built, even if it is there already.
    pub build_always: bool,
}

/// The programs of a plan's functions.
#[derive(Debug, Default)]
pub struct Programs {
    pub(super) found: BTreeMap<String, Program>,
    skipped: BTreeMap<String, String>,
}

/// The program of one function.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) launch: Launch,
    pub(super) source: Source,
}

/// Where a program comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A file that something else makes.
    File,
    /// A binary of the workspace with this root.
    Cargo(CargoSource),
    /// The files of a folder.
    Scripts,
}

/// A binary and the sources that cargo makes it from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CargoSource {
    pub(super) root: PathBuf,
    pub(super) target: PathBuf,
    pub(super) binary: Binary,
    /// The folders of the workspace's packages.
    pub(super) packages: Vec<PathBuf>,
}

/// Why functions cannot run in processes: all of them at once.
#[derive(Debug, thiserror::Error)]
#[error("{}", message(.0))]
pub struct ProgramsError(BTreeMap<String, String>);

fn message(problems: &BTreeMap<String, String>) -> String {
    let lines: String = problems.iter().map(|(name, problem)| format!("\n  {name}: {problem}")).collect();
    format!("these functions cannot run in processes (--skip-unsupported runs the others):{lines}")
}

/// What is known about a function's program before anything is built.
enum Candidate {
    Found(Program),
    /// Cargo must build it.
    Missing {
        workspace: Workspace,
        binary: Binary,
        task_root: PathBuf,
    },
}

impl Programs {
    /// Finds or builds the program of every function of `plan`.
    ///
    /// # Errors
    /// The functions that have no program or cannot run here, unless they are to be skipped; or a build fails.
    pub async fn find(plan: &Plan, search: &Search) -> Result<Self, ProgramsError> {
        let mut finder = Finder { search, workspaces: BTreeMap::new() };
        let mut programs = Self::default();
        let mut missing = Vec::new();
        let mut problems = BTreeMap::new();
        for function in plan.functions.values() {
            match finder.candidate(function).await {
                Ok(Candidate::Found(program)) => {
                    programs.found.insert(function.name.clone(), program);
                }
                Ok(Candidate::Missing { workspace, binary, task_root }) => {
                    missing.push((function.name.clone(), workspace, binary, task_root));
                }
                Err(problem) => {
                    problems.insert(function.name.clone(), problem);
                }
            }
        }
        if !search.skip_unsupported && !problems.is_empty() {
            return Err(ProgramsError(problems));
        }
        programs.skipped = problems;
        programs.build(missing).await?;
        Ok(programs)
    }

    /// The launch of a function, or why it is skipped.
    pub(super) fn get(&self, function: &str) -> Result<&Launch, &str> {
        match self.found.get(function) {
            Some(program) => Ok(&program.launch),
            None => Err(self.skipped.get(function).map_or("it has no program", String::as_str)),
        }
    }

    /// Lines for the banner: how many functions run in processes, and which do not, and why.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let run = format!("functions    {} in processes of their own", self.found.len());
        let skipped = self.skipped.iter().map(|(name, reason)| format!("not run      {name}: {reason}"));
        [run].into_iter().chain(skipped).collect()
    }

    async fn build(
        &mut self,
        missing: Vec<(String, Workspace, Binary, PathBuf)>,
    ) -> Result<(), ProgramsError> {
        let mut by_root: BTreeMap<PathBuf, Vec<Binary>> = BTreeMap::new();
        for (_, workspace, binary, _) in &missing {
            by_root.entry(workspace.root.clone()).or_default().push(binary.clone());
        }
        let mut built = BTreeMap::new();
        for (root, binaries) in &mut by_root {
            binaries.sort();
            binaries.dedup();
            tracing::info!(workspace = %root.display(), binaries = binaries.len(), "building functions with cargo");
            let made = cargo::build(root, binaries).await;
            let made = made.map_err(|error| ProgramsError([("cargo".to_owned(), error)].into()))?;
            built.extend(made.into_iter().map(|made| ((root.clone(), made.name), made.executable)));
        }
        for (function, workspace, binary, task_root) in missing {
            let Some(program) = built.get(&(workspace.root.clone(), binary.name.clone())).cloned() else {
                let problem = format!("cargo built no binary named {}", binary.name);
                return Err(ProgramsError([(function, problem)].into()));
            };
            let launch = Launch { program, arguments: Vec::new(), task_root };
            self.found.insert(function, Program { launch, source: cargo_source(&workspace, binary) });
        }
        Ok(())
    }
}

struct Finder<'a> {
    search: &'a Search,
    /// The workspace of every code folder seen so far.
    workspaces: BTreeMap<PathBuf, Option<Workspace>>,
}

impl Finder<'_> {
    async fn candidate(&mut self, function: &FunctionPlan) -> Result<Candidate, String> {
        let folder = self.search.template_folder.join(function.code.uri.as_deref().unwrap_or("."));
        let folder = folder.canonicalize().unwrap_or(folder);
        let launch = match runtimes::of(&function.code)? {
            Runtime::Provided => return self.provided(function, &folder).await,
            Runtime::Node => runtimes::node(&folder, &function.code)?,
            Runtime::Python => runtimes::python(&folder, &function.code).await?,
        };
        Ok(Candidate::Found(Program { launch, source: Source::Scripts }))
    }

    async fn provided(&mut self, function: &FunctionPlan, folder: &Path) -> Result<Candidate, String> {
        let file = |program: PathBuf| {
            let parent = program.parent().unwrap_or(folder);
            let task_root = if folder.is_dir() { folder } else { parent }.to_owned();
            let launch = Launch { program, arguments: Vec::new(), task_root };
            Ok(Candidate::Found(Program { launch, source: Source::File }))
        };
        if let Some(program) = self.in_bin_dir(function)? {
            return file(program);
        }
        let bootstrap = folder.join("bootstrap");
        if is_executable(&bootstrap) && !(self.search.build_always && lambda_binary(folder).is_some()) {
            return file(bootstrap);
        }
        let Some(workspace) = self.workspace(folder).await? else {
            return Err(format!(
                "{} does not exist, and there is no Cargo.toml in its folder or above: build it, or name the folder of the binaries with --bin-dir",
                bootstrap.display()
            ));
        };
        let binary = binary(function, folder, &workspace)?;
        let task_root = if folder.is_dir() { folder.to_owned() } else { workspace.root.clone() };
        match built(&workspace, &binary).filter(|_| !self.search.build_always) {
            Some(program) => {
                let launch = Launch { program, arguments: Vec::new(), task_root };
                Ok(Candidate::Found(Program { launch, source: cargo_source(&workspace, binary) }))
            }
            None => Ok(Candidate::Missing { workspace, binary, task_root }),
        }
    }

    /// `DIR/<name>` or `DIR/<name>/bootstrap`, under any of the function's names.
    fn in_bin_dir(&self, function: &FunctionPlan) -> Result<Option<PathBuf>, String> {
        let Some(folder) = &self.search.bin_dir else { return Ok(None) };
        let folder =
            folder.canonicalize().map_err(|error| format!("--bin-dir {}: {error}", folder.display()))?;
        let names = names(function);
        let files = names.iter().flat_map(|name| [folder.join(name), folder.join(name).join("bootstrap")]);
        Ok(files.into_iter().find(|file| is_executable(file)))
    }

    async fn workspace(&mut self, folder: &Path) -> Result<Option<Workspace>, String> {
        let Some(existing) = folder.ancestors().find(|folder| folder.is_dir()) else { return Ok(None) };
        if let Some(known) = self.workspaces.get(existing) {
            return Ok(known.clone());
        }
        let workspace = cargo::workspace(existing).await?;
        self.workspaces.insert(existing.to_owned(), workspace.clone());
        Ok(workspace)
    }
}

/// The names under which a function's binary may be known, the most specific first.
fn names(function: &FunctionPlan) -> Vec<&str> {
    let code = &function.code;
    let handler = Some(code.handler.as_str()).filter(|handler| !matches!(*handler, "" | "bootstrap"));
    let all = [code.binary.as_deref(), Some(function.name.as_str()), handler, Some(code.logical_id.as_str())];
    all.into_iter().flatten().collect()
}

/// The binary in a `CodeUri` like `target/lambda/<name>`, where `cargo lambda build` puts it.
fn lambda_binary(folder: &Path) -> Option<&str> {
    let parent = folder.parent()?;
    let is_lambda = parent.ends_with("lambda") && parent.parent()?.ends_with("target");
    folder.file_name()?.to_str().filter(|_| is_lambda)
}

/// The binary of a function: the one that the template names, the one in a `target/lambda/<name>`, or the one
/// of the package in the code folder; among several the one with the function's name.
fn binary(function: &FunctionPlan, folder: &Path, workspace: &Workspace) -> Result<Binary, String> {
    let own = workspace.packages.iter().find(|package| package.folder() == folder);
    let of_own: Vec<Binary> = own.iter().flat_map(|package| package.binaries()).collect();
    let all: Vec<Binary> = workspace.packages.iter().flat_map(|package| package.binaries()).collect();
    let named = |name: &str| {
        let mut binaries = of_own.iter().chain(&all);
        binaries.find(|binary| binary.name == name).cloned()
    };
    if let Some(name) = function.code.binary.as_deref().or_else(|| lambda_binary(folder)) {
        let root = workspace.root.display();
        return named(name).ok_or_else(|| format!("no package of {root} has a binary named {name}"));
    }
    match of_own.as_slice() {
        [only] => Ok(only.clone()),
        _ => names(function).into_iter().find_map(named).ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|binary| binary.name.as_str()).collect();
            format!("name its binary in Metadata.BuildProperties.Binary; there are: {}", known.join(", "))
        }),
    }
}

/// The binary as cargo-lambda or cargo has built it before.
fn built(workspace: &Workspace, binary: &Binary) -> Option<PathBuf> {
    let target = &workspace.target;
    let name = &binary.name;
    let files = [
        target.join("lambda").join(name).join("bootstrap"),
        target.join("release").join(name),
        target.join("debug").join(name),
    ];
    files.into_iter().find(|file| is_executable(file))
}

fn cargo_source(workspace: &Workspace, binary: Binary) -> Source {
    let packages = workspace.packages.iter().map(|package| package.folder().to_owned()).collect();
    let Workspace { root, target, .. } = workspace.clone();
    Source::Cargo(CargoSource { root, target, binary, packages })
}
