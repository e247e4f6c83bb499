//! Runs `tests/browser`: the pages as a person meets them in chromium. Skipped where node, its packages (`npm ci` in
//! `tests/browser` installs them) or chromium are missing.

use std::path::Path;
use std::process::{Command, Stdio};

use test_support::skip;

use crate::server::{BINARY, own_server};

/// The browser of Debian's package, unless `ULAK_CHROMIUM` names another.
const CHROMIUM: &str = "/usr/bin/chromium";

#[test]
fn pages_work_in_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let browser = std::env::var("ULAK_CHROMIUM").unwrap_or_else(|_| CHROMIUM.to_owned());
    let has_node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    let has_packages = folder.join("node_modules/playwright-core/package.json").exists();
    if !(has_node && has_packages && Path::new(&browser).exists()) {
        let remedy = "install node 20 and chromium (or set ULAK_CHROMIUM), and run `npm ci` in";
        skip(&format!("{remedy} {}", folder.display()));
        return;
    }
    let server = own_server(&[]);
    let output = Command::new("node")
        .args(["--test", "--test-concurrency=1", "--test-reporter=tap"])
        .current_dir(&folder)
        .env("ULAK_URL", format!("http://127.0.0.1:{}", server.port().0))
        .env("ULAK_CHROMIUM", browser)
        // For the tests that kill and restart a server.
        .env("ULAK_BINARY", BINARY)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    let passed = stdout.lines().find_map(|line| line.strip_prefix("# pass ")).unwrap();
    assert!(passed.parse::<u32>().unwrap() >= 29, "only {passed} tests ran");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
