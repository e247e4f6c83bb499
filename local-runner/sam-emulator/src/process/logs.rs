//! The log of one instance: what its process prints, and Lambda's START, END and REPORT lines. Every line
//! goes to the emulator's standard error behind the function's name; the lines of one invocation are also
//! kept for `X-Amz-Log-Type: Tail`.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::net::unix::pipe;

use crate::invoke::LogTail;

/// Bytes of one line; a longer one is split (Lambda's limit of one log event is 256 KB).
const MAX_LINE: usize = 256 * 1024;
/// Bytes that are kept of one invocation.
const MAX_KEPT: usize = 16 * 1024;

/// The numbers of a REPORT line.
pub(super) struct Report {
    pub(super) duration: Duration,
    pub(super) memory_size_mb: u32,
    /// The peak of resident memory; `None` where the system does not say.
    pub(super) memory_peak_mb: Option<u64>,
    /// Of the first invocation only.
    pub(super) init: Option<Duration>,
    /// How the invocation failed: `timeout` or `error`, as Lambda writes it.
    pub(super) status: Option<&'static str>,
}

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
        self.print(&[format!("START RequestId: {request_id} Version: $LATEST").as_bytes()]);
    }

    /// The last lines of an invocation; hands its log to `tail`.
    pub(super) fn end(&mut self, request_id: &str, report: &Report, tail: Option<&LogTail>) {
        self.read_available();
        self.end_line();
        let end = format!("END RequestId: {request_id}");
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

impl Report {
    /// Lambda's REPORT line: fields separated by tabs. Billed is the duration with the initialization, in
    /// whole milliseconds.
    fn line(&self, request_id: &str) -> String {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let billed = milliseconds(self.duration + self.init.unwrap_or_default()).ceil();
        let mut line = format!(
            "REPORT RequestId: {request_id}\tDuration: {:.2} ms\tBilled Duration: {billed:.0} ms\tMemory Size: {} MB",
            milliseconds(self.duration),
            self.memory_size_mb,
        );
        if let Some(peak) = self.memory_peak_mb {
            line.push_str(&format!("\tMax Memory Used: {peak} MB"));
        }
        if let Some(init) = self.init {
            line.push_str(&format!("\tInit Duration: {:.2} ms", milliseconds(init)));
        }
        if let Some(status) = self.status {
            line.push_str(&format!("\tStatus: {status}"));
        }
        line
    }
}

/// The peak of a process's resident memory in MB, from Linux's `/proc`.
pub(super) fn memory_peak_mb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Report;

    #[test]
    fn a_report_has_the_fields_of_lambda() {
        let mut report = Report {
            duration: Duration::from_micros(12_340),
            memory_size_mb: 128,
            memory_peak_mb: Some(40),
            init: Some(Duration::from_millis(25)),
            status: None,
        };
        assert_eq!(
            report.line("1"),
            "REPORT RequestId: 1\tDuration: 12.34 ms\tBilled Duration: 38 ms\tMemory Size: 128 MB\t\
             Max Memory Used: 40 MB\tInit Duration: 25.00 ms"
        );
        (report.init, report.memory_peak_mb, report.status) = (None, None, Some("timeout"));
        assert_eq!(
            report.line("1"),
            "REPORT RequestId: 1\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tStatus: timeout"
        );
    }
}
