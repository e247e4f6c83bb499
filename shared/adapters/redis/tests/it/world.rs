//! A test's own corner of the server: a prefix that nobody else uses, empty again when the test ends.

use std::sync::atomic::{AtomicU64, Ordering};

use adapter_redis::{Config, Redis};
use shared::connection::Dialect;
use shared::connection::{AttachOutcome, Connection, Identity};
use shared::id::{ConnectionId, Entropy, SessionId, UserId};
use shared::ports::Connections;
use shared::time::Time;
use test_support::server_url;

/// When the tests play.
pub(crate) const NOW: Time = Time::from_millis(1_700_000_000_000);

/// The adapter under a prefix of its own, and a plain connection to look behind it.
pub(crate) struct World {
    pub(crate) redis: Redis,
    pub(crate) url: String,
    pub(crate) prefix: String,
}

impl World {
    /// `None`, loudly, when no server is configured.
    pub(crate) fn new() -> Option<Self> {
        let url = server_url("REDIS_URL")?;
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = Entropy::default().bits();
        let prefix = format!("test-{unique:x}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let redis = Redis::new(Config::new(&url, &prefix).unwrap());
        Some(Self { redis, url, prefix })
    }

    /// The adapter again.
    pub(crate) fn adapter(&self) -> Redis {
        Redis::new(Config::new(&self.url, &self.prefix).unwrap())
    }

    /// The adapter again, over another address.
    pub(crate) fn through(&self, address: std::net::SocketAddr) -> Redis {
        Redis::new(Config::new(&format!("redis://{address}"), &self.prefix).unwrap())
    }

    /// The server's `host:port`.
    pub(crate) fn server(&self) -> String {
        let info = redis::IntoConnectionInfo::into_connection_info(self.url.as_str()).unwrap();
        info.addr().to_string()
    }

    /// Asks the server directly.
    pub(crate) fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection = redis::Client::open(self.url.as_str()).unwrap().get_connection().unwrap();
        redis::cmd(command[0]).arg(&command[1..]).query(&mut connection).unwrap()
    }

    /// All keys of this world, sorted, but for the departures: those stay until they are carried over.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = self.every_key();
        keys.retain(|key| !key.ends_with(":last_seen"));
        keys.sort();
        keys
    }

    fn every_key(&self) -> Vec<String> {
        self.ask(&["KEYS", &format!("*{}*", self.prefix)])
    }

    /// Forgets everything, as a server that lost its memory.
    pub(crate) fn forget(&self) {
        for key in self.every_key() {
            self.ask::<()>(&["DEL", &key]);
        }
    }

    /// An open connection.
    pub(crate) async fn open(&self, id: &str) -> ConnectionId {
        let id = ConnectionId::trusted(id);
        self.redis.open(&connection(id.as_str())).await.unwrap();
        id
    }

    /// Attaches a user to a connection under the session `s-<user>`.
    pub(crate) async fn attach(&self, id: &ConnectionId, user: &str) -> AttachOutcome {
        self.redis.attach(id, &identity(user), NOW).await.unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.forget();
    }
}

/// A connection that nobody stands behind yet.
pub(crate) fn connection(id: &str) -> Connection {
    Connection {
        id: ConnectionId::trusted(id),
        dialect: Dialect::Json,
        identity: None,
        upgrade_token: None,
        connected_at: NOW,
        pinged_at: NOW,
        lease_until: NOW,
    }
}

/// A user under the session `s-<user>`.
pub(crate) fn identity(user: &str) -> Identity {
    Identity { user_id: UserId::trusted(user), session_id: SessionId::trusted(format!("s-{user}")) }
}
