//! How a function's process begins: logs, the environment, and what is lent to every invocation.

use std::fmt;

use crate::auth::{Gate, Rates, TokenKeys};
use crate::config::{self, Env};
use crate::ports::{RateLimits, Sessions};
use crate::telemetry;

/// Why a function's process ends. Its `Debug`, which is what a failed `main` prints, is meant for people.
pub struct Fatal(String);

impl fmt::Debug for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: fmt::Display> From<E> for Fatal {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Starts the logs and opens the environment, in which Lambda's own variables must be.
pub fn start() -> Env {
    telemetry::start("info");
    Env::lambda()
}

/// Something that lives as long as the process: connected once, lent to every invocation.
pub fn keep<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// What a gate needs besides its stores.
pub struct GateSettings {
    keys: &'static TokenKeys,
    rates: &'static Rates,
}

impl GateSettings {
    /// `JWT_SECRET` and its kin, `RATE_LIMIT_SCALE`.
    pub fn from_env(env: &mut Env) -> Self {
        Self { keys: keep(config::token_keys(env)), rates: keep(config::rates(env)) }
    }

    /// The gate over a store of sessions and limits.
    pub fn over<S: Sessions + RateLimits>(&self, store: &'static S) -> Gate<'static> {
        Gate { sessions: store, limits: store, keys: self.keys, rates: self.rates }
    }
}
