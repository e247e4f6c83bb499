//! The one reader of the environment. Every missing or wrong variable is reported at once, by name.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use crate::auth::{Rates, TokenKeys};
use crate::lambda::MISSING_RUNTIME;
use crate::realtime::attach::HEARTBEAT;
use crate::realtime::codec::engine_io::PingTimers;

/// A value that never shows in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Variables, and what was wrong with them so far.
pub struct Env {
    values: HashMap<String, String>,
    problems: Vec<String>,
}

/// Why a process cannot start.
#[derive(Debug, thiserror::Error)]
#[error("cannot start:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

impl Env {
    /// The process's own variables. Empty ones count as absent.
    pub fn process() -> Self {
        Self::of(
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))),
        )
    }

    /// The process's variables, where Lambda's own must be among them.
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

    /// Given variables, for tests and for the local runner.
    pub fn of(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = values.into_iter().filter(|(_, v)| !v.trim().is_empty()).collect();
        Self { values, problems: Vec::new() }
    }

    /// A variable that may be absent.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    /// A variable that must be there; `what` says what it is for. Absent: an empty text, and a problem.
    pub fn required(&mut self, name: &str, what: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is missing: {what}"));
            String::new()
        })
    }

    /// A variable with a default, parsed.
    pub fn parsed<T: std::str::FromStr>(&mut self, name: &str, default: T) -> T {
        match self.optional(name).map(|text| text.trim().parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.problem(format!("{name} has a value that cannot be read"));
                default
            }
        }
    }

    /// Whole seconds with a default.
    pub fn seconds(&mut self, name: &str, default: u64) -> Duration {
        Duration::from_secs(self.parsed(name, default))
    }

    /// Remembers a problem that only the reader of a value can see.
    pub fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// All problems at once, or nothing.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError(self.problems)) }
    }
}

/// The shortest JWT secret that is accepted, in bytes.
const SHORTEST_SECRET: usize = 32;

/// The keys that tokens are signed with, from `JWT_SECRET`, `JWT_ISSUER` and `JWT_AUDIENCE`.
pub fn token_keys(env: &mut Env) -> TokenKeys {
    let secret = env.required("JWT_SECRET", "at least 32 random bytes that sign the access tokens");
    if !secret.is_empty() && secret.len() < SHORTEST_SECRET {
        env.problem(format!("JWT_SECRET is too short: use at least {SHORTEST_SECRET} bytes"));
    }
    let issuer = env.optional("JWT_ISSUER").unwrap_or_else(|| "ulak".to_owned());
    let audience = env.optional("JWT_AUDIENCE").unwrap_or_else(|| "ulak".to_owned());
    let access = env.seconds("ACCESS_TOKEN_SECONDS", 15 * 60);
    let refresh = env.seconds("REFRESH_TOKEN_SECONDS", 30 * 24 * 3600);
    TokenKeys::new(&Secret(secret), &issuer, &audience, access, refresh)
}

/// The rate limits, scaled by `RATE_LIMIT_SCALE` (0 switches them off).
pub fn rates(env: &mut Env) -> Rates {
    let scale: f64 = env.parsed("RATE_LIMIT_SCALE", 1.0);
    if !scale.is_finite() || scale < 0.0 {
        env.problem("RATE_LIMIT_SCALE must be 0 or a positive number");
    }
    Rates::scaled(scale)
}

/// How late the heartbeat itself may be.
const LATE: Duration = Duration::from_secs(5);

/// The Socket.IO heartbeat, from `PING_INTERVAL_SECONDS` and `PING_TIMEOUT_SECONDS` (fractions allowed).
pub fn ping_timers(env: &mut Env) -> PingTimers {
    let mut seconds = |name: &str, default: f64| {
        let value: f64 = env.parsed(name, default);
        Duration::try_from_secs_f64(value).unwrap_or_else(|_| {
            env.problem(format!("{name} must be a positive number of seconds"));
            Duration::from_secs_f64(default)
        })
    };
    let (interval, timeout) =
        (seconds("PING_INTERVAL_SECONDS", 300.0), seconds("PING_TIMEOUT_SECONDS", 120.0));
    let timers = PingTimers::new(interval, timeout).unwrap_or_else(|error| {
        env.problem(format!("PING_INTERVAL_SECONDS and PING_TIMEOUT_SECONDS: {error}"));
        PingTimers::default()
    });
    let least = (timers.longest_wait(HEARTBEAT) + LATE).saturating_sub(timers.interval());
    if timers.timeout() < least {
        env.problem(format!(
            "PING_TIMEOUT_SECONDS must be at least {} with this PING_INTERVAL_SECONDS: pings go out once a minute",
            least.as_secs_f64().ceil()
        ));
    }
    timers
}

#[cfg(test)]
mod tests {
    use super::{Env, ping_timers, rates, token_keys};

    #[test]
    fn pings_that_would_come_too_late_are_a_problem() {
        for (interval, timeout, well) in [
            ("300", "120", true),
            ("300", "5", true),
            ("300", "4", false),
            ("25", "20", false),
            ("25", "53", true),
        ] {
            let values = [("PING_INTERVAL_SECONDS", interval), ("PING_TIMEOUT_SECONDS", timeout)];
            let mut env = Env::of(values.map(|(name, value)| (name.to_owned(), value.to_owned())));
            ping_timers(&mut env);
            assert_eq!(env.finish().is_ok(), well, "{interval} and {timeout}");
        }
    }

    #[test]
    fn all_problems_are_told_together() {
        let mut env = Env::of([("RATE_LIMIT_SCALE".to_owned(), "much".to_owned())]);
        token_keys(&mut env);
        rates(&mut env);
        let problems = env.finish().unwrap_err().to_string();
        assert!(
            problems.contains("JWT_SECRET is missing") && problems.contains("RATE_LIMIT_SCALE"),
            "{problems}"
        );
    }
}
