//! The packages of the workspace and their dependency graph, from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use test_support::repository;

/// One package of the workspace.
pub(super) struct Package {
    pub(super) name: String,
    /// The folder of its manifest, relative to the repository.
    pub(super) folder: String,
    /// Names of its direct dependencies without dev-dependencies.
    pub(super) dependencies: BTreeSet<String>,
    /// Names of its integration tests.
    pub(super) tests: BTreeSet<String>,
    id: String,
}

/// The packages of the workspace, and the graph of all packages.
pub(super) struct Workspace {
    pub(super) packages: Vec<Package>,
    /// Package id → its normal and build dependencies' ids.
    graph: BTreeMap<String, Vec<String>>,
    names: BTreeMap<String, String>,
}

impl Workspace {
    /// `cargo metadata` runs once per test process.
    pub(super) fn get() -> &'static Self {
        static READ: OnceLock<Workspace> = OnceLock::new();
        READ.get_or_init(|| Self::of(&metadata()))
    }

    fn of(metadata: &Value) -> Self {
        let members: BTreeSet<&str> =
            list(&metadata["workspace_members"]).iter().filter_map(Value::as_str).collect();
        let all = list(&metadata["packages"]);
        let workspace = all.iter().filter(|package| members.contains(text(&package["id"])));
        let nodes = list(&metadata["resolve"]["nodes"]);
        Self {
            packages: workspace.map(package).collect(),
            graph: nodes.iter().map(|node| (text(&node["id"]).to_owned(), normal_deps(node))).collect(),
            names: all.iter().map(|p| (text(&p["id"]).to_owned(), text(&p["name"]).to_owned())).collect(),
        }
    }

    /// The workspace package with this name.
    pub(super) fn package(&self, name: &str) -> &Package {
        self.packages
            .iter()
            .find(|package| package.name == name)
            .unwrap_or_else(|| panic!("no package {name}"))
    }

    /// The workspace packages in a folder such as `functions/`.
    pub(super) fn within(&self, folder: &str) -> Vec<&Package> {
        let found: Vec<&Package> =
            self.packages.iter().filter(|package| package.folder.starts_with(folder)).collect();
        assert!(!found.is_empty(), "no package in {folder}");
        found
    }

    /// The names of all packages that a package's binaries link.
    pub(super) fn closure(&self, package: &Package) -> BTreeSet<&str> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut queue = vec![package.id.as_str()];
        while let Some(id) = queue.pop() {
            if seen.insert(id) {
                queue.extend(self.graph[id].iter().map(String::as_str));
            }
        }
        seen.into_iter().map(|id| self.names[id].as_str()).collect()
    }

    /// The names of all packages in the graph, with those of tests.
    pub(super) fn everything(&self) -> BTreeSet<&str> {
        self.graph.keys().map(|id| self.names[id].as_str()).collect()
    }
}

fn package(package: &Value) -> Package {
    let dependencies =
        list(&package["dependencies"]).iter().filter(|dependency| text(&dependency["kind"]) != "dev");
    let targets = list(&package["targets"]).iter();
    let tests = targets.filter(|target| list(&target["kind"]).contains(&Value::from("test")));
    let manifest = std::path::Path::new(text(&package["manifest_path"]));
    let folder = manifest.parent().unwrap().strip_prefix(repository()).unwrap();
    Package {
        name: text(&package["name"]).to_owned(),
        folder: folder.display().to_string(),
        dependencies: dependencies.map(|dependency| text(&dependency["name"]).to_owned()).collect(),
        tests: tests.map(|target| text(&target["name"]).to_owned()).collect(),
        id: text(&package["id"]).to_owned(),
    }
}

fn normal_deps(node: &Value) -> Vec<String> {
    let is_normal = |dep: &&Value| list(&dep["dep_kinds"]).iter().any(|kind| text(&kind["kind"]) != "dev");
    list(&node["deps"]).iter().filter(is_normal).map(|dep| text(&dep["pkg"]).to_owned()).collect()
}

/// Offline and locked: the test uses no network and changes no lock file.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform"])
        .arg(host())
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn host() -> String {
    let output = Command::new("rustc").arg("-vV").current_dir(repository()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
