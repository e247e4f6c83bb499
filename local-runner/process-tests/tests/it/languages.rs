//! Functions in Node.js and Python, through the runtime clients of npm and PyPI. Skipped where these are missing:
//! `npm ci` in `languages` and `pip install awslambdaric` bring them; `ULAK_REQUIRE_SERVERS=1` makes that a failure.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use test_support::skip;

use crate::emulator::Emulator;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("languages")
}

/// Whether a runtime client is installed; the test is skipped otherwise.
fn has(client: &str, is_installed: bool) -> bool {
    if !is_installed {
        skip(&format!("install {client}"));
    }
    is_installed
}

fn has_node() -> bool {
    has("aws-lambda-ric", project().join("node_modules/aws-lambda-ric/dist/rapid-client.node").exists())
}

fn has_python() -> bool {
    let environment = std::env::var("VIRTUAL_ENV").map(|folder| format!("{folder}/bin/python"));
    let python = environment.unwrap_or_else(|_| "python3".to_owned());
    let imported = Command::new(python).args(["-c", "import awslambdaric"]).output();
    has("awslambdaric", imported.is_ok_and(|output| output.status.success()))
}

fn check(function: &str) {
    let emulator = Emulator::start(&project().join("template.yaml"), &["--skip-unsupported"]);
    let (status, _, body) = emulator.send(&format!("GET /{function}/ada"), "");
    assert_eq!(status, 200, "{body}\n{}", emulator.log());
    assert_eq!(body, format!("hello ada from {function}, as {function}-greets"));
    let reply: Value =
        serde_json::from_str(&emulator.invoke(&format!("{function}-greets"), r#"{"fail":true}"#)).unwrap();
    assert_eq!(reply["errorMessage"], "no greeting", "{reply}");
    let trace = reply.get("trace").or(reply.get("stackTrace")).unwrap();
    assert!(!trace.as_array().unwrap().is_empty(), "{reply}");
    assert!(emulator.log().contains(&format!("{function}-greets | REPORT")), "{}", emulator.log());
}

#[test]
fn a_node_function_runs_through_its_runtime_client() {
    if has_node() {
        check("node");
    }
}

#[test]
fn a_python_function_runs_through_its_runtime_client() {
    if has_python() {
        check("python");
    }
}
