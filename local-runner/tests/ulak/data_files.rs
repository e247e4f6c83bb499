//! The files of the embedded store: backups, the end of a run, permissions; and the variables that a template gives one
//! function.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use test_support::http_client::{HttpRequest, Port};
use test_support::repository;

use crate::server::BINARY;

/// A runner on embedded stores, without any variable of the tests' environment.
struct Runner {
    child: Child,
    port: Port,
}

impl Runner {
    fn start(template: &Path, data: &Path) -> Self {
        let mut child = Command::new(BINARY)
            .args(["--port", "0", "--template"])
            .arg(template)
            .arg("--data")
            .arg(data)
            .env_clear()
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            line.unwrap().split_once("Invoke API  http://127.0.0.1:")?.1.split_once('/')?.0.parse().ok()
        });
        Self { child, port: Port(port.expect("an address in the banner")) }
    }

    fn register(&self, name: &str) -> u16 {
        let form =
            json!({ "username": name, "email": format!("{name}@example.com"), "password": "correct horse" });
        HttpRequest::new(self.port, "POST", "/api/auth/register").json(&form).send().status
    }

    fn log_in(&self, name: &str, password: &str) -> u16 {
        let form = json!({ "email": name, "password": password });
        HttpRequest::new(self.port, "POST", "/api/auth/login").json(&form).send().status
    }

    /// Sends SIGTERM and waits for the end.
    fn terminate(mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "SIGTERM does not end it");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn template() -> std::path::PathBuf {
    repository().join("template.yaml")
}

/// A data directory that contains only a copy of this database file.
fn restored(file: &Path, home: &Path) -> std::path::PathBuf {
    let data = home.join("restored");
    fs::create_dir(&data).unwrap();
    fs::copy(file, data.join("ulak.sqlite3")).unwrap();
    data
}

#[test]
fn after_sigterm_the_database_file_alone_is_a_backup() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let runner = Runner::start(&template(), &data);
    assert_eq!(runner.register("ada"), 201);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    runner.terminate();
    let restored = Runner::start(&template(), &restored(&data.join("ulak.sqlite3"), home.path()));
    assert_eq!(restored.log_in("ada", "correct horse"), 200);
}

#[test]
fn the_command_backup_writes_a_whole_database_while_the_runner_serves_and_when_it_does_not() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let runner = Runner::start(&template(), &data);
    assert_eq!(runner.register("ada"), 201);
    let backup = |file: &Path, port: Port| {
        let output = Command::new(BINARY)
            .arg("backup")
            .arg(file)
            .args(["--port", &port.0.to_string(), "--template"])
            .arg(template())
            .arg("--data")
            .arg(&data)
            .env_clear()
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (first, second) = (home.path().join("first"), home.path().join("second"));
    let port = runner.port;
    let (well, error) = backup(&first, port);
    assert!(well, "{error}");
    assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
    let (well, error) = backup(&first, port);
    assert!(
        !well && error.contains(&format!("cannot write the backup {}: File exists", first.display())),
        "{error}"
    );
    runner.terminate();
    let (well, error) = backup(&second, port);
    assert!(well, "{error}");
    let restored = Runner::start(&template(), &restored(&first, home.path()));
    assert_eq!(restored.log_in("ada", "correct horse"), 200);
    assert!(fs::read(&second).unwrap().starts_with(b"SQLite format 3"));
}

#[test]
fn a_function_sees_the_variables_that_the_template_gives_it_and_no_other_does() {
    let home = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(template()).unwrap();
    let literal = |text: &str, resource: &str, value: &str| {
        let at = text.find(&format!("\n  {resource}:\n")).unwrap();
        let (before, after) = text.split_at(at);
        before.to_owned()
            + &after.replacen(
                "RATE_LIMIT_SCALE: !Ref RateLimitScale",
                &format!("RATE_LIMIT_SCALE: \"{value}\""),
                1,
            )
    };
    let text = literal(&literal(&text, "AuthRegister", "0.01"), "AuthLogin", "0");
    let file = home.path().join("template.yaml");
    fs::write(&file, text).unwrap();
    let runner = Runner::start(&file, &home.path().join("data"));
    assert_eq!((runner.register("ada"), runner.register("bob")), (201, 429), "one registration per hour");
    for _ in 0..25 {
        assert_eq!(runner.log_in("ada", "wrong horse"), 401, "without a limit; the default is 20");
    }
}
