//! The process of one instance: its start with Lambda's environment, and its end with everything it started.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::group::{self, Guard};
use super::launch::Launch;
use super::logs::InstanceLog;

/// Attempts to start a program that is still open for writing, for example by a linker.
const BUSY_ATTEMPTS: u32 = 40;
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// What all instances of a function have in common.
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) timeout: Duration,
    pub(super) memory_mb: u32,
    /// The environment of the process, without what differs between instances.
    pub(super) environment: Vec<(String, String)>,
    /// The folder for the temporary files of all instances.
    pub(super) scratch: PathBuf,
    pub(super) guard: Guard,
}

/// A running process.
pub(super) struct Process {
    pub(super) child: Child,
    /// The process's id, which is also its group's.
    pub(super) pid: u32,
    pub(super) log: InstanceLog,
    pub(super) started: Instant,
    /// The folder of its temporary files.
    scratch: PathBuf,
}

impl Process {
    pub(super) async fn start(spec: &Spec, launch: &Launch, id: u64, api: SocketAddr) -> io::Result<Self> {
        let scratch = spec.scratch.join(format!("{}-{id}", spec.name));
        tokio::fs::create_dir_all(&scratch).await?;
        let (output, input) = io::pipe()?;
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.arguments)
            .current_dir(&launch.task_root)
            .env_clear()
            .envs(spec.environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
            .env("AWS_LAMBDA_LOG_STREAM_NAME", log_stream_name())
            .env("TMPDIR", &scratch)
            .stdin(Stdio::null())
            .stdout(input.try_clone()?)
            .stderr(input)
            .process_group(0)
            .kill_on_drop(true);
        let started = Instant::now();
        let child = spawn(&mut command).await?;
        // The command holds the writing end of the pipe.
        drop(command);
        let pid = child.id().unwrap_or_default();
        spec.guard.add(pid);
        let log = InstanceLog::new(spec.name.clone(), output)?;
        Ok(Self { child, pid, log, started, scratch })
    }

    /// Kills what still runs and removes the temporary files.
    pub(super) async fn close(&mut self, guard: &Guard) {
        group::kill(self.pid);
        // The process is ours and killed, so the wait is short.
        let _ = self.child.wait().await;
        guard.remove(self.pid);
        self.log.read_available();
        // What cannot be removed now, the guard removes at the end.
        let _ = tokio::fs::remove_dir_all(&self.scratch).await;
    }
}

/// Starts the process; waits for a while if its file is still being written.
async fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut attempts = 1;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && attempts < BUSY_ATTEMPTS => {
                attempts += 1;
                sleep(BUSY_PAUSE).await;
            }
            spawned => return spawned,
        }
    }
}

/// `2026/11/25/[$LATEST]<32 hex>`.
fn log_stream_name() -> String {
    let day = Timestamp::now().strftime("%Y/%m/%d");
    format!("{day}/[$LATEST]{:032x}", rand::random::<u128>())
}
