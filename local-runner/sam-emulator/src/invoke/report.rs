//! The lines that Lambda writes into a function's log around every invocation.

use std::time::Duration;

/// The numbers of a REPORT line.
pub(crate) struct Report {
    pub(crate) duration: Duration,
    pub(crate) memory_size_mb: u32,
    /// The peak of resident memory; `None` where it is not known.
    pub(crate) memory_peak_mb: Option<u64>,
    /// Of the first invocation only.
    pub(crate) init: Option<Duration>,
    /// How the invocation failed: `timeout` or `error`, as Lambda writes it.
    pub(crate) status: Option<&'static str>,
}

/// The first line of an invocation.
pub(crate) fn start(request_id: &str) -> String {
    format!("START RequestId: {request_id} Version: $LATEST")
}

/// The line before the REPORT line.
pub(crate) fn end(request_id: &str) -> String {
    format!("END RequestId: {request_id}")
}

impl Report {
    /// Lambda's REPORT line: fields separated by tabs. Billed is the duration with the initialization, in
    /// whole milliseconds.
    pub(crate) fn line(&self, request_id: &str) -> String {
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
