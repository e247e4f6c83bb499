//! The ports of live connections, which one store implements: `Connections`, `Rooms`, `Heartbeats`, `Presence`,
//! `PresenceChanges` and `LastSeen`.

mod connections;
mod heartbeats;
mod last_seen;
mod presence;
mod presence_changes;
mod rooms;
mod sessions;

use std::sync::Arc;

use shared::connection::Dialect;
use shared::connection::{AttachOutcome, Connection, Identity, Receiver};
use shared::id::{ConnectionId, SessionId, UserId};
use shared::ports::{
    Attachment, Connections, Heartbeats, LastSeen, Presence, PresenceChanges, Rooms, StoreResult,
};
use shared::time::Time;

use super::{CaseData, Failure, expect_some};

pub use connections::connections;
pub use heartbeats::heartbeats;
pub use last_seen::last_seen;
pub use presence::presence;
pub use presence_changes::presence_changes;
pub use rooms::rooms;

/// The six ports of one store.
#[derive(Clone)]
pub struct PresencePorts {
    pub connections: Arc<dyn Connections>,
    pub rooms: Arc<dyn Rooms>,
    pub heartbeats: Arc<dyn Heartbeats>,
    pub presence: Arc<dyn Presence>,
    pub last_seen: Arc<dyn LastSeen>,
    pub changes: Arc<dyn PresenceChanges>,
}

impl PresencePorts {
    /// Opens a connection without an identity.
    async fn open_new(&self, data: &CaseData) -> StoreResult<Connection> {
        let connection = connection(data);
        self.connections.open(&connection, 0).await?;
        Ok(connection)
    }

    /// Opens a connection and attaches the user; returns it with the outcome.
    async fn attach_new(&self, data: &CaseData, user: &UserId) -> StoreResult<(Connection, AttachOutcome)> {
        let opened = self.open_new(data).await?;
        let identity = identity(data, user);
        let attached = self.attach(&opened.id, &identity, opened.lease_until, data.now).await?;
        Ok((Connection { identity: Some(identity), ..opened }, attached))
    }

    async fn attach(
        &self,
        id: &ConnectionId,
        identity: &Identity,
        lease_until: Time,
        now: Time,
    ) -> StoreResult<AttachOutcome> {
        self.connections.attach(id, &Attachment { identity, lease_until, max_per_user: 0, now }).await
    }

    async fn stored(&self, id: &ConnectionId) -> Result<Connection, Failure> {
        expect_some(self.connections.get(id).await?)
    }

    /// Ends the connections, so that later cases do not see them.
    async fn end_all(&self, connections: &[Connection]) -> StoreResult<()> {
        for connection in connections {
            self.connections.end(&connection.id, connection.connected_at).await?;
        }
        Ok(())
    }

    async fn is_online(&self, user: &UserId) -> StoreResult<bool> {
        let of = self.presence.online_of(std::slice::from_ref(user)).await?;
        Ok(of == [user.clone()])
    }
}

fn connection(data: &CaseData) -> Connection {
    Connection {
        id: ConnectionId::trusted(data.id()),
        dialect: Dialect::Json,
        identity: None,
        upgrade_token: None,
        address: String::new(),
        connected_at: data.now,
        pinged_at: data.now,
        lease_until: data.after(100),
    }
}

fn identity(data: &CaseData, user: &UserId) -> Identity {
    Identity { user_id: user.clone(), session_id: SessionId::trusted(data.id()) }
}

/// The connection as a receiver of pushes; `None` without an identity.
fn receiver(connection: &Connection) -> Option<Receiver> {
    connection.identity.as_ref().map(|identity| Receiver {
        id: connection.id.clone(),
        dialect: connection.dialect,
        user_id: identity.user_id.clone(),
    })
}

/// Receivers sorted by id, for comparisons.
fn in_order(mut receivers: Vec<Receiver>) -> Vec<Receiver> {
    receivers.sort_by(|a, b| a.id.cmp(&b.id));
    receivers
}

fn receivers<'a>(connections: impl IntoIterator<Item = &'a Connection>) -> Vec<Receiver> {
    in_order(connections.into_iter().filter_map(receiver).collect())
}
