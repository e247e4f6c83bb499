//! The heartbeat's times: ping interval and timeout, the schedule that sends pings, and leases.

use std::time::Duration;

use crate::config::Env;
use crate::time::Time;

/// How long a connection may stay open without an identity.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(45);

/// The period of the heartbeat's schedule: pings are sent once a minute.
pub const HEARTBEAT_PERIOD: Duration = Duration::from_secs(60);

/// How late a heartbeat run may be.
const HEARTBEAT_DELAY: Duration = Duration::from_secs(5);

/// The ping interval and the ping timeout of Engine.IO, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PingTimers {
    interval_ms: u32,
    timeout_ms: u32,
}

/// The ping timers are out of range; clients would reconnect in a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ping interval and ping timeout must each be at least 1 ms and together under 2^31 ms")]
pub struct PingTimersError;

impl PingTimers {
    /// From `PING_INTERVAL_SECONDS` (default 300) and `PING_TIMEOUT_SECONDS` (default 120); fractions are
    /// allowed. Timers too short for a heartbeat that runs once a minute are a problem.
    pub fn from_env(env: &mut Env) -> Self {
        let default = Self::default();
        let interval = seconds(env, "PING_INTERVAL_SECONDS", default.interval());
        let timeout = seconds(env, "PING_TIMEOUT_SECONDS", default.timeout());
        let timers = Self::new(interval, timeout).unwrap_or_else(|error| {
            env.problem(format!("PING_INTERVAL_SECONDS and PING_TIMEOUT_SECONDS: {error}"));
            default
        });
        let least =
            (timers.longest_wait(HEARTBEAT_PERIOD) + HEARTBEAT_DELAY).saturating_sub(timers.interval());
        if timers.timeout() < least {
            env.problem(format!(
                "PING_TIMEOUT_SECONDS must be at least {} with this PING_INTERVAL_SECONDS: pings are sent once a minute",
                least.as_secs_f64().ceil()
            ));
        }
        timers
    }

    /// Checks both, at millisecond resolution.
    ///
    /// # Errors
    ///
    /// If one is zero, or both together reach 2^31 ms: the client waits their sum in a timer with 31 bits, which
    /// would overflow and fire at once.
    pub fn new(interval: Duration, timeout: Duration) -> Result<Self, PingTimersError> {
        let milliseconds = |time: Duration| u32::try_from(time.as_millis()).map_err(|_| PingTimersError);
        let (interval_ms, timeout_ms) = (milliseconds(interval)?, milliseconds(timeout)?);
        let together = u64::from(interval_ms) + u64::from(timeout_ms);
        if interval_ms == 0 || timeout_ms == 0 || together >= 1 << 31 {
            return Err(PingTimersError);
        }
        Ok(Self { interval_ms, timeout_ms })
    }

    /// Interval and timeout in milliseconds, as the handshake carries them.
    pub fn millis(self) -> (u32, u32) {
        (self.interval_ms, self.timeout_ms)
    }

    /// The time between two pings.
    pub fn interval(self) -> Duration {
        Duration::from_millis(self.interval_ms.into())
    }

    /// How long a pong may take.
    pub fn timeout(self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }

    /// How long before it is due a ping is sent, when pings are sent once per `period`.
    pub fn lead(self, period: Duration) -> Duration {
        period.min(self.interval() / 2)
    }

    /// The longest wait of a client for a ping, when pings are sent once per `period`. A client that waits
    /// longer than interval and timeout together closes the connection.
    pub fn longest_wait(self, period: Duration) -> Duration {
        self.interval() - self.lead(period) + period
    }

    /// Until when a connection counts as alive that showed a sign of life at `now`.
    pub fn lease(self, now: Time) -> Time {
        now + self.interval() + self.timeout()
    }
}

/// 300 s and 120 s: together under the gateway's idle timeout of ten minutes, with few pings to pay for.
impl Default for PingTimers {
    fn default() -> Self {
        Self { interval_ms: 300_000, timeout_ms: 120_000 }
    }
}

fn seconds(env: &mut Env, name: &str, default: Duration) -> Duration {
    let value: f64 = env.parsed(name, default.as_secs_f64());
    Duration::try_from_secs_f64(value).unwrap_or_else(|_| {
        env.problem(format!("{name} must be a positive number of seconds, not {value}"));
        default
    })
}

#[cfg(test)]
mod tests {
    use super::PingTimers;
    use crate::config::Env;

    #[test]
    fn ping_timers_are_rejected_when_too_short_for_a_heartbeat_each_minute() {
        for (interval, timeout, accepted) in [
            ("300", "120", true),
            ("300", "5", true),
            ("300", "4", false),
            ("25", "20", false),
            ("25", "53", true),
        ] {
            let values = [("PING_INTERVAL_SECONDS", interval), ("PING_TIMEOUT_SECONDS", timeout)];
            let mut env = Env::of(values.map(|(name, value)| (name.to_owned(), value.to_owned())));
            PingTimers::from_env(&mut env);
            assert_eq!(env.finish().is_ok(), accepted, "{interval} and {timeout}");
        }
    }
}
