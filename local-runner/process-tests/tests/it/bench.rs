//! Functions in processes, called through the invoker.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use sam_emulator::invoke::{Invocation, InvokeError, Invoker as _, LogTail};
use sam_emulator::process::{HostEnvironment, ProcessOptions, Processes, Programs, Search};
use sam_emulator::template;
use serde_json::Value;

/// The folder of this package's programs.
pub(crate) fn bin_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_echo")).parent().unwrap().to_owned()
}

/// A template of functions, each with the binary of its name or the one that its line names.
pub(crate) fn template_of(functions: &[(&str, &str)]) -> String {
    let functions: String = functions
        .iter()
        .map(|(name, properties)| {
            format!("  {}: {{ Type: AWS::Serverless::Function, Properties: {{ FunctionName: {name}, Runtime: provided.al2023, {properties} }} }}\n",
                name.replace('-', ""))
        })
        .collect();
    format!("Resources:\n{functions}")
}

/// Running functions.
pub(crate) struct Bench {
    pub(crate) processes: Processes,
}

impl Bench {
    pub(crate) async fn new(functions: &[(&str, &str)]) -> Self {
        Self::with(functions, ProcessOptions::default()).await
    }

    pub(crate) async fn with(functions: &[(&str, &str)], options: ProcessOptions) -> Self {
        let plan = template::read(&template_of(functions), &BTreeMap::new()).unwrap();
        let search = Search { bin_dir: Some(bin_dir()), ..Search::default() };
        let programs = Programs::find(&plan, &search).await.unwrap();
        let host = HostEnvironment {
            prefixes: Default::default(),
            address: "0.0.0.0:3000".parse().unwrap(),
            account: plan.account.clone(),
            variables: [("FROM_ENV_FILE", "yes"), ("BOTH", "env file")]
                .map(|(k, v)| (k.into(), v.into()))
                .into(),
        };
        Self { processes: Processes::new(&plan, &programs, &host, &options).unwrap() }
    }

    pub(crate) async fn call(&self, function: &str, event: &str) -> Result<Value, InvokeError> {
        let reply = self.invoke(Invocation::new(function, Bytes::from(event.to_owned()))).await;
        reply.map(|reply| serde_json::from_slice(&reply).unwrap())
    }

    pub(crate) async fn invoke(&self, call: Invocation) -> Result<Bytes, InvokeError> {
        let reply = self.processes.invoke(call);
        tokio::time::timeout(Duration::from_secs(60), reply).await.expect("a reply within a minute")
    }

    /// The error of a call as Lambda's JSON, with the request id replaced by `ID`.
    pub(crate) async fn error(&self, function: &str, event: &str) -> String {
        let call = Invocation::new(function, Bytes::from(event.to_owned()));
        let id = call.request_id.clone();
        let error = self.invoke(call).await.expect_err("the function succeeds");
        let payload = error.function_payload().map_or(error.to_string().into(), |payload| payload);
        String::from_utf8(payload.to_vec()).unwrap().replace(&id, "ID")
    }

    /// The reply and the log of a call.
    pub(crate) async fn log(&self, function: &str, event: &str) -> String {
        let mut call = Invocation::new(function, Bytes::from(event.to_owned()));
        let tail = LogTail::default();
        call.log_tail = Some(tail.clone());
        let id = call.request_id.clone();
        let _ = self.invoke(call).await;
        tail.text().replace(&id, "ID")
    }

    pub(crate) async fn pid(&self, function: &str) -> u64 {
        self.call(function, "{}").await.unwrap()["pid"].as_u64().unwrap()
    }
}

/// Whether a process exists.
pub(crate) fn is_alive(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie has ended; its parent has not asked for its status yet.
    !stat.is_empty() && !stat.contains(") Z ")
}

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
