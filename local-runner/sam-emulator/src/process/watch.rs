//! `--watch`: a saved source file rebuilds the binaries that it affects and replaces the functions' code
//! between two invocations. A build that fails changes nothing.
//!
//! The files are compared by time and size a few times a second: this needs no support of the system, and
//! a workspace of a thousand files costs a few milliseconds.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Processes;
use super::cargo::{self, Binary, Built};
use super::launch::Launch;
use super::programs::{CargoSource, Program, Programs, Source};

/// The pause between two looks at the files.
const INTERVAL: Duration = Duration::from_millis(200);

/// Replaces the code of functions when their sources change.
pub struct Watcher {
    programs: BTreeMap<String, Program>,
    groups: Vec<Group>,
    copies: Copies,
}

/// Files that change together: the sources of a workspace, a folder of scripts, or one program.
struct Group {
    place: Place,
    fingerprint: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Workspace { root: PathBuf, target: PathBuf, packages: Vec<PathBuf> },
    Folder(PathBuf),
    File(PathBuf),
}

impl Watcher {
    /// Remembers the files as they are now. The functions of `programs` then run from copies, because cargo
    /// overwrites its binaries while instances may have to start from them.
    ///
    /// # Errors
    /// A binary cannot be copied.
    pub fn new(programs: &mut Programs) -> io::Result<Self> {
        let mut copies = Copies::default();
        let mut groups: Vec<Group> = Vec::new();
        for program in programs.found.values_mut() {
            let place = Place::of(program);
            if matches!(place, Place::Workspace { .. }) {
                program.launch.program = copies.add(&program.launch.program)?;
            }
            if groups.iter().all(|group| group.place != place) {
                let fingerprint = place.fingerprint();
                groups.push(Group { place, fingerprint });
            }
        }
        Ok(Self { programs: programs.found.clone(), groups, copies })
    }

    /// Watches until `stop` is cancelled.
    pub async fn run(mut self, processes: Processes, stop: CancellationToken) {
        for folder in &self.copies.folders {
            processes.inner.guard.add_directory(folder);
        }
        while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
            for place in self.changed() {
                let start = Instant::now();
                let replaced = stop.run_until_cancelled(self.rebuild(&place)).await.unwrap_or_default();
                let build_ms = start.elapsed().as_millis() as u64;
                if !replaced.is_empty() {
                    let functions: Vec<&str> = replaced.keys().map(String::as_str).collect();
                    let functions = functions.join(", ");
                    tracing::info!(functions, build_ms, "replacing the code of functions");
                    processes.replace(replaced);
                }
            }
        }
        self.copies.remove();
    }

    /// The places whose files differ from the last look.
    fn changed(&mut self) -> Vec<Place> {
        let mut changed = Vec::new();
        for group in &mut self.groups {
            let fingerprint = group.place.fingerprint();
            if fingerprint != group.fingerprint {
                group.fingerprint = fingerprint;
                changed.push(group.place.clone());
            }
        }
        changed
    }

    /// The new launches of the functions that a change affects.
    async fn rebuild(&mut self, place: &Place) -> BTreeMap<String, Launch> {
        let affected = self.programs.iter().filter(|(_, program)| Place::of(program) == *place);
        let affected: Vec<(String, Program)> =
            affected.map(|(name, program)| (name.clone(), program.clone())).collect();
        let Place::Workspace { root, .. } = place else {
            return affected.into_iter().map(|(name, program)| (name, program.launch)).collect();
        };
        let mut binaries: Vec<Binary> =
            affected.iter().filter_map(|(_, program)| program.binary().cloned()).collect();
        binaries.sort();
        binaries.dedup();
        match cargo::build(root, &binaries).await {
            Ok(built) => self.replacements(affected, &built),
            Err(error) => {
                tracing::error!(%error, "the previous version of the functions goes on serving");
                BTreeMap::new()
            }
        }
    }

    fn replacements(
        &mut self,
        affected: Vec<(String, Program)>,
        built: &[Built],
    ) -> BTreeMap<String, Launch> {
        let mut replaced = BTreeMap::new();
        self.copies.next_generation();
        for (name, program) in affected {
            let made =
                program.binary().and_then(|binary| built.iter().find(|built| built.name == binary.name));
            let Some(made) = made.filter(|made| !made.is_fresh) else { continue };
            match self.copies.add(&made.executable) {
                Ok(copy) => {
                    let launch = Launch { program: copy, ..program.launch };
                    replaced.insert(name, launch);
                }
                Err(error) => tracing::error!(function = name, %error, "cannot copy the new binary"),
            }
        }
        replaced
    }
}

impl Program {
    fn binary(&self) -> Option<&Binary> {
        match &self.source {
            Source::Cargo(source) => Some(&source.binary),
            Source::File | Source::Scripts => None,
        }
    }
}

impl Place {
    fn of(program: &Program) -> Self {
        match &program.source {
            Source::Cargo(CargoSource { root, target, packages, .. }) => {
                Self::Workspace { root: root.clone(), target: target.clone(), packages: packages.clone() }
            }
            Source::File => Self::File(program.launch.program.clone()),
            Source::Scripts => Self::Folder(program.launch.task_root.clone()),
        }
    }

    /// A number that changes with the time or size of any file of this place.
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Workspace { root, target, packages } => {
                for file in ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"] {
                    add_file(&root.join(file), &mut hasher);
                }
                for package in packages {
                    add_folder(package, target, &mut hasher);
                }
            }
            Self::Folder(folder) => add_folder(folder, Path::new(""), &mut hasher),
            Self::File(file) => add_file(file, &mut hasher),
        }
        hasher.finish()
    }
}

fn add_file(file: &Path, hasher: &mut DefaultHasher) {
    let Ok(metadata) = file.metadata() else { return };
    (file, metadata.len(), metadata.modified().ok()).hash(hasher);
}

/// Adds the files below `folder`, without hidden ones and without what other tools make.
fn add_folder(folder: &Path, target: &Path, hasher: &mut DefaultHasher) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.')
            || matches!(&*name, "node_modules" | "__pycache__" | "venv")
            || path == target
        {
            continue;
        }
        if path.is_dir() {
            add_folder(&path, target, hasher);
        } else {
            add_file(&path, hasher);
        }
    }
}

/// Copies of the binaries that are in use, beside the originals: a hard link where possible, since linkers
/// replace a file and do not write into it.
#[derive(Default)]
struct Copies {
    generation: u64,
    folders: Vec<PathBuf>,
    /// With the generation of each.
    files: Vec<(u64, PathBuf)>,
}

impl Copies {
    fn add(&mut self, executable: &Path) -> io::Result<PathBuf> {
        let name = executable.file_name().unwrap_or_default().to_string_lossy();
        let folder = executable.with_file_name(format!(".watch-{}", std::process::id()));
        let copy = folder.join(format!("{name}-{}", self.generation));
        if self.files.iter().any(|(_, file)| *file == copy) {
            return Ok(copy);
        }
        if !self.folders.contains(&folder) {
            fs::create_dir_all(&folder)?;
            self.folders.push(folder);
        }
        if fs::hard_link(executable, &copy).is_err() {
            fs::copy(executable, &copy)?;
        }
        self.files.push((self.generation, copy.clone()));
        Ok(copy)
    }

    /// Starts a generation, and removes the files of the one before the last: of each binary the two latest
    /// copies stay.
    fn next_generation(&mut self) {
        self.generation += 1;
        let latest = |file: &Path| binary_name(file).to_owned();
        let mut newer: BTreeMap<String, usize> = BTreeMap::new();
        let files = std::mem::take(&mut self.files);
        for (generation, file) in files.into_iter().rev() {
            let count = newer.entry(latest(&file)).or_default();
            *count += 1;
            if *count <= 2 {
                self.files.insert(0, (generation, file));
            } else {
                // The guard removes what cannot be removed now.
                let _ = fs::remove_file(&file);
            }
        }
    }

    fn remove(&self) {
        for folder in &self.folders {
            // The guard removes what is left.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// The path of a copy without its generation.
fn binary_name(copy: &Path) -> &str {
    let text = copy.to_str().unwrap_or_default();
    text.rsplit_once('-').map_or(text, |(binary, _)| binary)
}
