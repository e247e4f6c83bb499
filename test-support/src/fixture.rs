//! What a function needs to run on its own: an embedded store, fixed keys and randomness, a given time, and
//! recorders in place of sockets and of other functions.

mod http_function;
mod push_recorder;
mod request;
mod scenario;
mod start_recorder;
mod unreachable_store;

use std::time::Duration;

use adapter_embedded::Embedded;
use shared::auth::{Gate, Passwords, Rates, SessionPolicy, TokenKeys};
use shared::chat::ChatPorts;
use shared::config::Secret;
use shared::connection::{Connection, Dialect, Identity, PresenceChange};
use shared::id::{ConnectionId, Entropy};
use shared::lambda::http::Request;
use shared::lambda::schedule::ScheduledRun;
use shared::lambda::websocket::{SocketEvent, SocketEventKind};
use shared::ports::{Attachment, Connections as _, PresenceChanges as _};
use shared::realtime::announce::Announcer;
use shared::realtime::fanout::Fanout;
use shared::realtime::settings::RealtimeSettings;
use shared::time::Time;

pub use http_function::{Handler, HttpFunction, PendingReply};
pub use push_recorder::{PushFailure, PushRecorder};
pub use request::{TestRequest, http_event};
pub use scenario::{Scenario, TestUser, text};
pub use start_recorder::StartRecorder;
pub use unreachable_store::UnreachableStore;

/// The time of everything that happens in a fixture, unless a test says otherwise.
pub const NOW: Time = Time::from_millis(1_800_000_000_123);
/// How long access tokens are valid.
pub const ACCESS_TTL: Duration = Duration::from_secs(900);
/// How long sessions are valid after the last refresh.
pub const REFRESH_TTL: Duration = Duration::from_secs(9_000);
/// The user agent of all requests.
pub const USER_AGENT: &str = "a test";

/// The ports of a function.
pub struct FunctionFixture {
    pub store: Embedded,
    pub passwords: Passwords,
    pub pushes: PushRecorder,
    pub starts: StartRecorder,
    pub entropy: Entropy,
    pub rates: Rates,
    pub policy: SessionPolicy,
    pub settings: RealtimeSettings,
    /// Whether the store of sessions and rate limits is unreachable.
    pub sessions_are_down: bool,
    keys: TokenKeys,
}

impl Default for FunctionFixture {
    fn default() -> Self {
        Self::new()
    }
}

impl FunctionFixture {
    /// An empty store, repeatable randomness, no rate limits.
    pub fn new() -> Self {
        let secret = Secret::new("thirty-two bytes that sign tokens");
        Self {
            store: Embedded::temporary().unwrap(),
            passwords: Passwords::new(2),
            pushes: PushRecorder::default(),
            starts: StartRecorder::default(),
            entropy: Entropy::seeded(7),
            rates: Rates::scaled(0.0),
            policy: SessionPolicy::default(),
            settings: RealtimeSettings::default(),
            sessions_are_down: false,
            keys: TokenKeys::new(&secret, "ulak", "ulak", ACCESS_TTL, REFRESH_TTL),
        }
    }

    pub fn gate(&self) -> Gate<'_> {
        let Self { keys, rates, policy, store, .. } = self;
        let policy = *policy;
        if self.sessions_are_down {
            let down = &UnreachableStore;
            return Gate { sessions: down, limits: down, addresses: down, keys, rates, policy };
        }
        Gate { sessions: store, limits: store, addresses: store, keys, rates, policy }
    }

    pub fn fanout(&self) -> Fanout<'_> {
        Fanout::over(&self.store, &self.pushes)
    }

    pub fn announcer(&self) -> Announcer<'_> {
        let fanout = self.fanout();
        Announcer { fanout, changes: &self.store, functions: &self.starts, settings: &self.settings }
    }

    /// Announces what is due at `now`, as the heartbeat does.
    pub async fn announce(&self, now: Time) {
        self.announcer().due(now, || false).await.unwrap();
    }

    pub fn chat(&self) -> ChatPorts<'_> {
        ChatPorts::over(&self.store, &self.store, &self.pushes)
    }

    /// The request as a handler receives it.
    pub fn request(&self, request: &TestRequest) -> Request {
        request.build(self.entropy.clone())
    }

    /// A run of a schedule without a deadline.
    pub fn scheduled_run(&self, now: Time) -> ScheduledRun {
        ScheduledRun { id: "a-run".to_owned(), now, entropy: self.entropy.clone(), budget: None }
    }

    /// An event of a connection as a handler receives it.
    pub fn socket_event(&self, connection: &str, now: Time, kind: SocketEventKind) -> SocketEvent {
        SocketEvent {
            id: "a-socket-event".to_owned(),
            connection_id: ConnectionId::trusted(connection),
            source_ip: "192.0.2.7".to_owned(),
            now,
            entropy: self.entropy.clone(),
            kind,
        }
    }

    /// Stores a connection of [`NOW`] without an identity.
    pub async fn open_connection(&self, id: &str, dialect: Dialect, lease_until: Time) {
        let connection = Connection {
            id: ConnectionId::trusted(id),
            dialect,
            identity: None,
            upgrade_token: None,
            address: String::new(),
            connected_at: NOW,
            pinged_at: NOW,
            lease_until,
        };
        assert!(self.store.open(&connection, 0).await.unwrap());
    }

    /// Stores a connection of [`NOW`] and attaches a user, whose arrival counts as announced.
    pub async fn attach_connection(
        &self,
        id: &str,
        dialect: Dialect,
        identity: &Identity,
        lease_until: Time,
    ) {
        self.open_connection(id, dialect, lease_until).await;
        let attachment = Attachment { identity, lease_until, max_per_user: 0, now: NOW };
        self.store.attach(&ConnectionId::trusted(id), &attachment).await.unwrap();
        let change = PresenceChange { user_id: identity.user_id.clone(), online: true, at: NOW };
        self.store.mark_announced(&[change]).await.unwrap();
    }

    /// Stores a connection of [`NOW`] in the JSON dialect and attaches a user.
    pub async fn attach_json(&self, id: &str, user: &TestUser) {
        self.attach_connection(id, Dialect::Json, &user.identity(), NOW).await;
    }

    /// The connection, if it has not ended.
    pub async fn connection(&self, id: &str) -> Option<Connection> {
        self.store.get(&ConnectionId::trusted(id)).await.unwrap()
    }
}
