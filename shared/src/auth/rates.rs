//! The rate limits of the system, as configured.

use std::time::Duration;

use crate::config::Env;
use crate::ports::RateLimit;

/// All rate limits. A limit with [`RateLimit::count`] 0 is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Registrations from one address.
    pub register_by_ip: RateLimit,
    /// Failed logins from one address.
    pub login_by_ip: RateLimit,
    /// Failed logins with one name from one address.
    pub login_by_account: RateLimit,
    /// Failed logins with one name from all addresses, before they are slowed.
    pub brake_by_account: RateLimit,
    /// Logins with one name while they are slowed.
    pub braked_login: RateLimit,
    /// Wrong current passwords of one user who is logged in.
    pub password_by_user: RateLimit,
    /// Messages of one user.
    pub send_by_user: RateLimit,
    /// Frames of one user: events, pongs, and CONNECT and DISCONNECT for [`CONNECT_COST`].
    pub events_by_user: RateLimit,
    /// Frames of one connection before its CONNECT; a CONNECT costs [`CONNECT_COST`].
    pub frames_by_connection: RateLimit,
    /// WebSocket upgrades of one address without a valid token.
    pub upgrades_by_ip: RateLimit,
    /// All requests of one user, or of one address without a valid token.
    pub general: RateLimit,
    /// The proxies of our own before the gateway. Each adds an address to `X-Forwarded-For`.
    pub trusted_proxies: usize,
}

/// What a CONNECT or DISCONNECT costs, compared with another frame: it may be announced to all users.
pub const CONNECT_COST: u32 = 10;

impl Rates {
    /// The defaults, multiplied by `RATE_LIMIT_SCALE` (default 1; 0 switches all limits off), and `TRUSTED_PROXIES`
    /// (default 0).
    pub fn from_env(env: &mut Env) -> Self {
        let scale: f64 = env.parsed("RATE_LIMIT_SCALE", 1.0);
        if !scale.is_finite() || scale < 0.0 {
            env.problem(format!("RATE_LIMIT_SCALE must be 0 or a positive number, not {scale}"));
        }
        Self { trusted_proxies: env.parsed("TRUSTED_PROXIES", 0), ..Self::scaled(scale) }
    }

    /// The defaults times `scale`. 0 switches all limits off; any other scale allows at least one per window.
    pub fn scaled(scale: f64) -> Self {
        let limit = |count: u32, secs: u64| {
            let scaled = (f64::from(count) * scale).ceil().clamp(0.0, f64::from(u32::MAX));
            // The cast is exact: the value was clamped to the type's range.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let count = if scale > 0.0 { scaled as u32 } else { 0 };
            RateLimit { count, window: Duration::from_secs(secs) }
        };
        Self {
            register_by_ip: limit(100, 3_600),
            login_by_ip: limit(100, 600),
            login_by_account: limit(20, 600),
            brake_by_account: limit(100, 600),
            braked_login: limit(1, 10),
            password_by_user: limit(10, 600),
            send_by_user: limit(1_200, 60),
            events_by_user: limit(3_000, 60),
            frames_by_connection: limit(100, 60),
            upgrades_by_ip: limit(600, 60),
            general: limit(3_000, 60),
            trusted_proxies: 0,
        }
    }
}
