//! Reads the environment. All missing and invalid variables are reported at once, by name.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// The message for a function that is started outside Lambda.
pub const MISSING_RUNTIME: &str = "this program is one Lambda function; start it with `cargo lambda watch`, or all of them with \
     `cargo run -p local-runner`";

/// A value that is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The variables, and the problems found with them so far.
#[derive(Clone)]
pub struct Env {
    values: HashMap<String, String>,
    problems: Vec<String>,
}

/// The reason why a process cannot start: one line per variable.
#[derive(Debug, thiserror::Error)]
#[error("cannot start:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

impl Env {
    /// The variables of this process. Empty ones count as absent.
    pub fn process() -> Self {
        Self::of(
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))),
        )
    }

    /// The variables of this process. Every missing variable of the Lambda runtime is a problem.
    pub fn lambda() -> Self {
        let mut env = Self::process();
        for name in ["AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        {
            if !env.values.contains_key(name) {
                env.problems.push(format!("{name} is missing: {MISSING_RUNTIME}"));
            }
        }
        env
    }

    /// The given variables, for tests and for the local runner. Empty ones count as absent.
    pub fn of(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = values.into_iter().filter(|(_, v)| !v.trim().is_empty()).collect();
        Self { values, problems: Vec::new() }
    }

    /// Gives an absent variable a value.
    pub fn set_default(&mut self, name: &str, value: impl Into<String>) {
        self.values.entry(name.to_owned()).or_insert_with(|| value.into());
    }

    /// A variable that may be absent.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    /// A required variable; `purpose` says in the error message what it is for. An absent one is a problem
    /// and reads as an empty string.
    pub fn required(&mut self, name: &str, purpose: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is missing: {purpose}"));
            String::new()
        })
    }

    /// A number with a default. Text that is no such number is a problem and reads as the default.
    pub fn parsed<T: std::str::FromStr>(&mut self, name: &str, default: T) -> T {
        let Some(text) = self.optional(name) else { return default };
        text.trim().parse().unwrap_or_else(|_| {
            self.problem(format!("{name} must be a valid number, not {text:?}"));
            default
        })
    }

    /// A whole number of seconds with a default.
    pub fn seconds(&mut self, name: &str, default: u64) -> Duration {
        Duration::from_secs(self.parsed(name, default))
    }

    /// Reports a problem with a value.
    pub fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every problem that was found.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError(self.problems)) }
    }
}
