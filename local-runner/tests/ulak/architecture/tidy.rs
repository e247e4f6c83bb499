//! Source files: a module comment, a size limit for files and functions, no placeholder, the workspace's lints.

use std::fs;
use std::path::{Path, PathBuf};

use test_support::repository;

use super::workspace::Workspace;

/// Every Rust file under a folder of the repository.
pub(super) fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&repository().join(folder), &mut found);
    assert!(!found.is_empty(), "nothing in {folder}");
    found.sort();
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all() -> Vec<(PathBuf, String)> {
    let files = ["shared", "functions", "local-runner", "test-support"].into_iter().flat_map(sources);
    files.map(|file| (file.clone(), fs::read_to_string(&file).unwrap())).collect()
}

/// Tests have no size limit, because tables of cases are long.
pub(super) fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs")
}

fn name(file: &Path) -> String {
    file.strip_prefix(repository()).unwrap_or(file).display().to_string()
}

#[test]
fn every_file_begins_with_a_module_comment() {
    let undocumented: Vec<String> = all()
        .iter()
        .filter(|(_, text)| !text.starts_with("//! ") || text.lines().next().unwrap().len() < 10)
        .map(|(file, _)| name(file))
        .collect();
    assert!(undocumented.is_empty(), "{undocumented:#?}");
}

#[test]
fn files_are_small() {
    let mut lines: Vec<(usize, String)> = all()
        .iter()
        .filter(|(file, _)| !is_test(file))
        .map(|(file, text)| (text.lines().count(), name(file)))
        .collect();
    lines.sort();
    let long: Vec<&(usize, String)> = lines.iter().filter(|(lines, _)| *lines > 300).collect();
    assert!(long.is_empty(), "{long:#?}");
    assert!(lines[lines.len() / 2].0 <= 120, "the median is {}", lines[lines.len() / 2].0);
    let mains = lines.iter().filter(|(_, name)| name.starts_with("functions/") && name.ends_with("main.rs"));
    let long: Vec<_> = mains.filter(|(lines, _)| *lines > 60).collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// Number of lines and first line of every function, found by the indentation of rustfmt.
fn functions(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (begin, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words = code.split_whitespace().take_while(|word| *word != "fn");
        let is_fn = code.contains("fn ")
            && words
                .clone()
                .all(|word| matches!(word, "pub" | "async" | "const" | "unsafe") || word.starts_with("pub("));
        if !is_fn || code.starts_with("//") || !code.split_whitespace().any(|word| word == "fn") {
            continue;
        }
        let indent = &line[..line.len() - code.len()];
        let rest = lines[begin..].iter();
        let end = rest
            .take_while(|line| **line != format!("{indent}}}") && **line != format!("{indent});"))
            .count();
        if begin + end < lines.len() && !code.ends_with(';') && !code.ends_with('}') {
            found.push((end + 1, *line));
        }
    }
    found
}

#[test]
fn functions_are_small() {
    let files = all();
    let files = files.iter().filter(|(file, _)| !is_test(file));
    let mut all: Vec<(usize, String)> = files
        .flat_map(|(file, text)| {
            functions(text)
                .into_iter()
                .map(move |(lines, head)| (lines, format!("{} {}", name(file), head.trim())))
        })
        .collect();
    all.sort();
    assert!(all.len() > 500, "only {} functions found", all.len());
    let long: Vec<_> = all.iter().filter(|(lines, _)| *lines > 60).collect();
    assert!(long.is_empty(), "{long:#?}");
    assert!(all[all.len() / 2].0 <= 12, "the median is {}", all[all.len() / 2].0);
}

#[test]
fn no_placeholder_macros_remain() {
    // Written in two parts, so that this file does not find itself.
    let banned: Vec<String> =
        ["todo", "unimplemented", "dbg"].iter().map(|name| format!("{name}{}", "!(")).collect();
    for (file, text) in all() {
        for banned in &banned {
            assert!(!text.contains(banned.as_str()), "{} contains {banned}", name(&file));
        }
    }
}

/// Code that two crates need belongs to a crate that both can depend on.
#[test]
fn no_module_is_included_by_path() {
    // Written in two parts, so that this file does not match.
    let attribute = format!("#[{}", "path");
    let including: Vec<String> =
        all().iter().filter(|(_, text)| text.contains(&attribute)).map(|(file, _)| name(file)).collect();
    assert!(including.is_empty(), "{including:#?}");
}

#[test]
fn every_package_has_workspace_lints_and_one_test_binary() {
    for package in &Workspace::get().packages {
        let manifest = repository().join(&package.folder).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{}", package.name);
        let tests: Vec<&str> = package.tests.iter().map(String::as_str).collect();
        let expected = if package.name == "local-runner" { ["ulak"] } else { ["it"] };
        assert!(tests.is_empty() || tests == expected, "{}: {tests:?}", package.name);
    }
}
