//! The log of one instance: what its process prints, and Lambda's START, END and REPORT lines. Every line
//! goes to the emulator's standard error behind the function's name; the lines of one invocation are also
//! kept for `X-Amz-Log-Type: Tail`.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;

use tokio::net::unix::pipe;

use crate::invoke::LogTail;
use crate::invoke::report::{self, Report};

/// Bytes of one line; a longer one is split (Lambda's limit of one log event is 256 KB).
const MAX_LINE: usize = 256 * 1024;
/// Bytes that are kept of one invocation.
const MAX_KEPT: usize = 16 * 1024;

/// The log of one instance.
pub(super) struct InstanceLog {
    function: String,
    output: pipe::Receiver,
    /// The beginning of a line whose end has not been read.
    partial: Vec<u8>,
    kept: VecDeque<u8>,
    is_open: bool,
}

impl InstanceLog {
    /// A log that reads the process's standard output and error from `output`.
    pub(super) fn new(function: String, output: impl Into<OwnedFd>) -> io::Result<Self> {
        let output = pipe::Receiver::from_owned_fd(output.into())?;
        Ok(Self { function, output, partial: Vec::new(), kept: VecDeque::new(), is_open: true })
    }

    /// Reads what the process prints. Returns when something was read; waits forever once the output is
    /// closed. Cancel-safe.
    pub(super) async fn read(&mut self) {
        if !self.is_open || self.output.readable().await.is_err() {
            return std::future::pending().await;
        }
        self.read_available();
    }

    /// Reads what has been printed so far, without waiting.
    pub(super) fn read_available(&mut self) {
        let mut buffer = [0; 8192];
        while self.is_open {
            match self.output.try_read(&mut buffer) {
                Ok(0) => self.is_open = false,
                Ok(count) => self.add(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.is_open = false,
            }
        }
        if !self.is_open {
            self.end_line();
        }
    }

    /// Ends a line that the process has not ended.
    fn end_line(&mut self) {
        if !self.partial.is_empty() {
            let rest = std::mem::take(&mut self.partial);
            self.print(&[&rest]);
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        let complete = match self.partial.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if self.partial.len() > MAX_LINE => self.partial.len(),
            None => return,
        };
        let rest = self.partial.split_off(complete);
        let lines = std::mem::replace(&mut self.partial, rest);
        let lines = lines.strip_suffix(b"\n").unwrap_or(&lines);
        self.print(&lines.split(|byte| *byte == b'\n').collect::<Vec<_>>());
    }

    /// The first line of an invocation. The lines before it, of the initialization, belong to it too.
    pub(super) fn start(&mut self, request_id: &str) {
        self.read_available();
        self.print(&[report::start(request_id).as_bytes()]);
    }

    /// The last lines of an invocation; hands its log to `tail`.
    pub(super) fn end(&mut self, request_id: &str, report: &Report, tail: Option<&LogTail>) {
        self.read_available();
        self.end_line();
        let end = report::end(request_id);
        self.print(&[end.as_bytes(), report.line(request_id).as_bytes()]);
        let kept = self.take();
        if let Some(tail) = tail {
            tail.fill(&kept);
        }
    }

    /// Hands out what is kept of the log.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept).into()
    }

    /// A line of the emulator about this instance.
    pub(super) fn note(&mut self, text: &str) {
        self.read_available();
        self.print(&[text.as_bytes()]);
    }

    fn print(&mut self, lines: &[&[u8]]) {
        let mut prefixed = Vec::new();
        for line in lines {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            prefixed.extend_from_slice(self.function.as_bytes());
            prefixed.extend_from_slice(b" | ");
            prefixed.extend_from_slice(line);
            prefixed.push(b'\n');
            self.kept.extend(line);
            self.kept.push_back(b'\n');
        }
        let surplus = self.kept.len().saturating_sub(MAX_KEPT);
        self.kept.drain(..surplus);
        // If standard error is closed, there is no place to say so.
        let _ = io::stderr().lock().write_all(&prefixed);
    }
}

/// The peak of a process's resident memory in MB, from Linux's `/proc`.
pub(super) fn memory_peak_mb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}
