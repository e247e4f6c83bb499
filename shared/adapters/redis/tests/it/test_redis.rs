//! A key prefix of its own for each test, on the server of `REDIS_URL`. Its keys are deleted when the test ends.

use std::sync::atomic::{AtomicU64, Ordering};

use adapter_redis::{Config, Redis};
use shared::connection::{AttachOutcome, Connection, Dialect, Identity};
use shared::id::{ConnectionId, Entropy, SessionId, UserId};
use shared::ports::{Attachment, Connections};
use shared::time::Time;
use test_support::server_url;

/// The time of every test.
pub(crate) const NOW: Time = Time::from_millis(1_700_000_000_000);

/// The adapter under its own prefix, and direct access to the server.
pub(crate) struct TestRedis {
    pub(crate) redis: Redis,
    pub(crate) url: String,
    pub(crate) prefix: String,
}

impl TestRedis {
    /// Prints a notice and returns `None` when no server is configured.
    pub(crate) fn new() -> Option<Self> {
        let url = server_url("REDIS_URL")?;
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = Entropy::default().bits();
        let prefix = format!("test-{unique:x}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let redis = Redis::new(Config::new(&url, &prefix).unwrap());
        Some(Self { redis, url, prefix })
    }

    /// A second adapter with the same prefix.
    pub(crate) fn adapter(&self) -> Redis {
        Redis::new(Config::new(&self.url, &self.prefix).unwrap())
    }

    /// A second adapter with the same prefix that connects to `address`.
    pub(crate) fn through(&self, address: std::net::SocketAddr) -> Redis {
        Redis::new(Config::new(&format!("redis://{address}"), &self.prefix).unwrap())
    }

    /// The server's `host:port`.
    pub(crate) fn address(&self) -> String {
        let info = redis::IntoConnectionInfo::into_connection_info(self.url.as_str()).unwrap();
        info.addr().to_string()
    }

    /// Runs a command without the adapter.
    pub(crate) fn command<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection = redis::Client::open(self.url.as_str()).unwrap().get_connection().unwrap();
        redis::cmd(command[0]).arg(&command[1..]).query(&mut connection).unwrap()
    }

    /// This test's keys, sorted, without `last_seen`, which outlives the connections.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = self.all_keys();
        // These outlive a connection: what is not copied, announced or replayed yet.
        let outlives = [":last_seen", ":arrivals", ":departures", ":changed_at"];
        keys.retain(|key| !outlives.iter().any(|end| key.ends_with(end)) && !key.contains(":missed:"));
        keys.sort();
        keys
    }

    fn all_keys(&self) -> Vec<String> {
        self.command(&["KEYS", &format!("*{}*", self.prefix)])
    }

    /// Deletes this test's keys, as if the server had lost its data.
    pub(crate) fn delete_all_keys(&self) {
        for key in self.all_keys() {
            self.command::<()>(&["DEL", &key]);
        }
    }

    /// Opens a connection without an identity.
    pub(crate) async fn open(&self, id: &str) -> ConnectionId {
        let id = ConnectionId::trusted(id);
        assert!(self.redis.open(&connection(id.as_str()), 0).await.unwrap());
        id
    }

    /// Attaches a user with the session `s-<user>`.
    pub(crate) async fn attach(&self, id: &ConnectionId, user: &str) -> AttachOutcome {
        let identity = &identity(user);
        let attachment = Attachment { identity, lease_until: NOW, max_per_user: 0, now: NOW };
        self.redis.attach(id, &attachment).await.unwrap()
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        self.delete_all_keys();
    }
}

/// A connection without an identity.
pub(crate) fn connection(id: &str) -> Connection {
    Connection {
        id: ConnectionId::trusted(id),
        dialect: Dialect::Json,
        identity: None,
        upgrade_token: None,
        address: String::new(),
        connected_at: NOW,
        pinged_at: NOW,
        lease_until: NOW,
    }
}

/// A user with the session `s-<user>`.
pub(crate) fn identity(user: &str) -> Identity {
    Identity { user_id: UserId::trusted(user), session_id: SessionId::trusted(format!("s-{user}")) }
}
