//! Modules of one crate depend on each other in one direction: no two siblings use each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use test_support::repository;

use super::tidy::sources;
use super::workspace::Workspace;

/// The segments of a module's path below its crate; empty for `lib.rs` and `main.rs`.
type Module = Vec<String>;

/// One source file: its module and its code without comments, literals and unit tests.
struct Source {
    module: Module,
    code: String,
}

/// Every module of one crate, and the names that a module re-exports from its children.
#[derive(Default)]
struct Crate {
    modules: BTreeSet<Module>,
    reexports: BTreeMap<(Module, String), Module>,
}

#[test]
fn no_two_modules_of_a_crate_use_each_other() {
    let packages = &Workspace::get().packages;
    let pairs: Vec<String> = packages
        .iter()
        .filter(|package| repository().join(&package.folder).join("src").is_dir())
        .flat_map(|package| {
            let found = two_way_pairs(&read_crate(&format!("{}/src", package.folder)));
            found.into_iter().map(|(a, b)| format!("{}: {a} and {b}", package.name))
        })
        .collect();
    assert!(pairs.is_empty(), "modules that use each other:\n{}", pairs.join("\n"));
}

#[test]
fn two_way_pair_is_found_in_every_form_of_path() {
    let source = |module: &str, code: &str| Source {
        module: module.split("::").filter(|s| !s.is_empty()).map(str::to_owned).collect(),
        code: code_of(code),
    };
    for (left, right) in [
        ("use crate::b::X;", "use crate::a::Y;"),
        ("use super::b::X;", "use crate::{a::{Y, Z}, c::W};"),
        ("fn f() -> crate::b::c::X {}", "use crate::{c, a as other};"),
        ("use crate::FromB;", "pub(crate) use super::a::Y;"),
    ] {
        let sources = [
            source("", "pub mod a; pub mod b; mod c; pub use b::FromB;"),
            source("a", left),
            source("b", right),
            source("b::c", "struct X;"),
            source("c", ""),
        ];
        assert_eq!(two_way_pairs(&sources), [("a".to_owned(), "b".to_owned())], "{left} {right}");
    }
    let one_way = [
        source("", "pub mod a; pub mod b;"),
        source("a", "// crate::b\nuse crate::c;"),
        source("b", "use crate::a::Y; #[cfg(test)]\nmod tests {}"),
    ];
    assert!(two_way_pairs(&one_way).is_empty());
}

fn read_crate(folder: &str) -> Vec<Source> {
    let root = repository().join(folder);
    sources(folder)
        .iter()
        .filter(|file| !file.components().any(|part| part.as_os_str() == "tests"))
        .map(|file| Source {
            module: module_of(file.strip_prefix(&root).unwrap()),
            code: code_of(&fs::read_to_string(file).unwrap()),
        })
        .collect()
}

fn module_of(file: &Path) -> Module {
    let path = file.with_extension("");
    let segments: Module = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    match segments.as_slice() {
        [root] if root == "lib" || root == "main" => Vec::new(),
        _ => segments,
    }
}

/// The code without line comments, string literals and what follows the first unit test module.
fn code_of(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let without_comments = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let joined = without_comments.collect::<Vec<_>>().join("\n");
    joined.split('"').step_by(2).collect::<Vec<_>>().join(" ")
}

fn two_way_pairs(sources: &[Source]) -> Vec<(String, String)> {
    let mut known = Crate { modules: sources.iter().map(|s| s.module.clone()).collect(), ..Crate::default() };
    for source in sources {
        for path in use_paths(&source.code) {
            let child = [source.module.as_slice(), &path[..1]].concat();
            if let (true, Some(name)) = (known.modules.contains(&child), path.last()) {
                known.reexports.insert((source.module.clone(), name.clone()), child);
            }
        }
    }
    let mut edges = BTreeSet::new();
    for source in sources {
        for path in use_paths(&source.code).into_iter().chain(inline_paths(&source.code)) {
            if let Some(target) = known.resolve(&source.module, &path) {
                edges.extend(sibling_edge(&source.module, &target));
            }
        }
    }
    let both_ways =
        edges.iter().filter(|(from, to)| from < to && edges.contains(&(to.clone(), from.clone())));
    both_ways.map(|(from, to)| (from.join("::"), to.join("::"))).collect()
}

impl Crate {
    /// The module that defines what `path` names, seen from `from`; `None` for other crates.
    fn resolve(&self, from: &Module, path: &[String]) -> Option<Module> {
        let (mut module, mut rest) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => (from.clone(), path),
            _ => return None,
        };
        while rest.first().is_some_and(|segment| segment == "super") {
            module.pop()?;
            rest = &rest[1..];
        }
        while let Some(segment) = rest.first() {
            let child = [module.as_slice(), std::slice::from_ref(segment)].concat();
            let exported = || self.reexports.get(&(module.clone(), segment.clone())).cloned();
            match self.modules.contains(&child).then_some(child).or_else(exported) {
                Some(next) => module = next,
                None => break,
            }
            rest = &rest[1..];
        }
        Some(module)
    }
}

/// The sibling modules that contain `from` and `to`; `None` if one of the two contains the other.
fn sibling_edge(from: &Module, to: &Module) -> Option<(Module, Module)> {
    let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    (common < from.len() && common < to.len()).then(|| (from[..=common].to_vec(), to[..=common].to_vec()))
}

/// Every path of the file's `use` declarations, with groups expanded.
fn use_paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let starts_word = code[..at].chars().next_back().is_none_or(char::is_whitespace);
        if let (true, Some((declaration, _))) = (starts_word, code[at + 4..].split_once(';')) {
            expand(declaration, &[], &mut found);
        }
    }
    found
}

fn expand(tree: &str, prefix: &[String], found: &mut Vec<Vec<String>>) {
    let tree = tree.trim().trim_start_matches("::");
    if let Some((head, group)) = tree.split_once('{') {
        let prefix: Vec<String> = prefix.iter().cloned().chain(segments(head)).collect();
        for part in split_group(group.trim_end().strip_suffix('}').unwrap_or(group)) {
            expand(part, &prefix, found);
        }
    } else if !tree.is_empty() {
        let name = tree.split(" as ").next().unwrap_or(tree);
        found.push(prefix.iter().cloned().chain(segments(name)).collect());
    }
}

/// The parts of a group between its commas; nested groups are not split.
fn split_group(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").map(str::trim).filter(|s| !s.is_empty() && *s != "*").map(str::to_owned).collect()
}

/// Paths outside `use` declarations that begin with `crate`, `super` or `self`.
fn inline_paths(code: &str) -> Vec<Vec<String>> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    code.split(|c| !is_path(c))
        .filter(|word| ["crate::", "super::", "self::"].iter().any(|start| word.starts_with(start)))
        .map(segments)
        .collect()
}
