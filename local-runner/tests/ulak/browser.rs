//! Runs `tests/browser`: the pages in Debian's chromium. Skipped where node, its packages or the browser are missing
//! (`npm ci` in `tests/browser` and `apt-get install chromium` install them).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use test_support::skip;

use crate::server::BINARY;

/// The browser, unless `ULAK_CHROMIUM` names another one.
const CHROMIUM: &str = "/usr/bin/chromium";

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// What is missing and how to install it.
fn missing() -> Option<String> {
    let folder = directory();
    let has_node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    let chromium = std::env::var("ULAK_CHROMIUM").unwrap_or_else(|_| CHROMIUM.to_owned());
    if !has_node || !folder.join("node_modules/playwright-core/package.json").exists() {
        return Some(format!("install node 20 and run `npm ci` in {}", folder.display()));
    }
    (!Path::new(&chromium).exists()).then(|| format!("install chromium at {chromium}"))
}

/// Runs one file of tests, which start servers of their own.
fn run(file: &str, least: u32) {
    if let Some(remedy) = missing() {
        skip(&remedy);
        return;
    }
    let output = Command::new("node")
        .args(["--test", file])
        .current_dir(directory())
        .env("ULAK_BINARY", BINARY)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    let passed = report.lines().find_map(|line| line.strip_prefix("# pass ")).unwrap();
    assert!(passed.parse::<u32>().unwrap() >= least, "only {passed} tests ran");
}

#[test]
fn two_people_chat() {
    run("chat.test.mjs", 8);
}

#[test]
fn outages_lose_and_double_nothing() {
    run("outage.test.mjs", 4);
}

#[test]
fn the_chat_page_is_accessible_small_and_fast() {
    run("look.test.mjs", 5);
}
