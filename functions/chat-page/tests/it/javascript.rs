//! Runs `tests/js`: the page's pure rules, without a browser. Skipped where node is missing.

use std::path::Path;
use std::process::Command;

use test_support::skip;

#[test]
fn rules_of_the_page_hold() {
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        skip("install node 20");
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js");
    let tests = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let output = Command::new("node").arg("--test").args(tests).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    let passed = report.lines().find_map(|line| line.strip_prefix("# pass ")).unwrap();
    assert!(passed.parse::<u32>().unwrap() >= 20, "only {passed} tests ran");
}
