//! How a process fails: the errors that Lambda reports for an exit and for an initialization that failed.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use super::launch::Launch;
use super::reply::RuntimeFailure;
use crate::invoke::{FunctionError, InvokeError};

/// Why an instance did not get to its first event.
#[derive(Debug)]
pub(super) struct InitFailure {
    cause: Cause,
    /// What the process printed.
    pub(super) log: Vec<u8>,
}

#[derive(Debug)]
enum Cause {
    /// The program cannot be started.
    NotStarted(String),
    /// `POST /runtime/init/error`.
    Reported(RuntimeFailure),
    Exited(Option<ExitStatus>),
    TimedOut(Duration),
}

impl InitFailure {
    pub(super) fn not_started(launch: &Launch, error: &io::Error) -> Self {
        Cause::NotStarted(format!("cannot start {}: {error}", launch.program.display())).into()
    }

    pub(super) fn reported(failure: RuntimeFailure) -> Self {
        Cause::Reported(failure).into()
    }

    pub(super) fn exited(status: io::Result<ExitStatus>) -> Self {
        Cause::Exited(status.ok()).into()
    }

    pub(super) fn timed_out(limit: Duration) -> Self {
        Cause::TimedOut(limit).into()
    }

    /// The same failure, with what the process printed.
    pub(super) fn with_log(self, log: Vec<u8>) -> Self {
        Self { log, ..self }
    }

    /// The error of the invocation that the instance was started for.
    pub(super) fn error(self, request_id: &str) -> InvokeError {
        match self.cause {
            Cause::NotStarted(message) => FunctionError::new("Runtime.InvalidEntrypoint", message).into(),
            Cause::Reported(failure) => failure.into(),
            Cause::Exited(status) => exit_error(status, request_id).into(),
            Cause::TimedOut(limit) => FunctionError::timed_out(request_id, limit).into(),
        }
    }
}

impl From<Cause> for InitFailure {
    fn from(cause: Cause) -> Self {
        Self { cause, log: Vec::new() }
    }
}

/// `Runtime.ExitError`: the process ended before it replied.
pub(super) fn exit_error(status: Option<ExitStatus>, request_id: &str) -> FunctionError {
    let reason = match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) if code != 0 => format!("Runtime exited with error: exit status {code}"),
        Some((None, Some(signal))) => {
            format!("Runtime exited with error: signal: {}", signal_name(signal))
        }
        _ => "Runtime exited without providing a reason".to_owned(),
    };
    FunctionError::new("Runtime.ExitError", format!("RequestId: {request_id} Error: {reason}"))
}

/// The names that Lambda's own supervisor writes, which are Go's.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        2 => "interrupt",
        4 => "illegal instruction",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        15 => "terminated",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}
