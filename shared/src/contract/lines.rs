//! Live connections: `Connections`, `Rooms`, `Heartbeats`, `Presence` and `LastSeen`,
//! which one store keeps together.

mod connections;
mod heartbeats;
mod last_seen;
mod presence;
mod rooms;

use std::sync::Arc;

use super::{Failure, World, some};
use crate::connection::Dialect;
use crate::connection::{AttachOutcome, Connection, Identity, Receiver};
use crate::id::{ConnectionId, SessionId, UserId};
use crate::ports::{Connections, Heartbeats, LastSeen, Presence, Rooms, StoreResult};

pub use connections::connections;
pub use heartbeats::heartbeats;
pub use last_seen::last_seen;
pub use presence::presence;
pub use rooms::rooms;

/// The five ports over one store.
#[derive(Clone)]
pub struct Lines {
    /// Which sockets are open.
    pub connections: Arc<dyn Connections>,
    /// Who looks at what.
    pub rooms: Arc<dyn Rooms>,
    /// Who is due for a ping.
    pub heartbeats: Arc<dyn Heartbeats>,
    /// Who is online.
    pub presence: Arc<dyn Presence>,
    /// Who left when.
    pub last_seen: Arc<dyn LastSeen>,
}

impl Lines {
    /// A connection that was opened and has no name yet.
    async fn opened(&self, world: &World) -> StoreResult<Connection> {
        let connection = connection(world);
        self.connections.open(&connection).await?;
        Ok(connection)
    }

    /// A new connection of the user's, and what attaching led to.
    async fn attached(&self, world: &World, user: &UserId) -> StoreResult<(Connection, AttachOutcome)> {
        let opened = self.opened(world).await?;
        let identity = identity(world, user);
        let attached = self.connections.attach(&opened.id, &identity, opened.lease_until).await?;
        Ok((Connection { identity: Some(identity), ..opened }, attached))
    }

    async fn stored(&self, id: &ConnectionId) -> Result<Connection, Failure> {
        some(self.connections.get(id).await?)
    }

    /// Leaves nobody behind for a later case.
    async fn hang_up(&self, connections: &[Connection]) -> StoreResult<()> {
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

fn connection(world: &World) -> Connection {
    Connection {
        id: ConnectionId::trusted(world.id()),
        dialect: Dialect::Json,
        identity: None,
        upgrade_token: None,
        connected_at: world.now,
        pinged_at: world.now,
        lease_until: world.after(100),
    }
}

fn identity(world: &World, user: &UserId) -> Identity {
    Identity { user_id: user.clone(), session_id: SessionId::trusted(world.id()) }
}

/// The connection as one to push to.
fn receiver(connection: &Connection) -> Option<Receiver> {
    connection.identity.as_ref().map(|identity| Receiver {
        id: connection.id.clone(),
        dialect: connection.dialect,
        user_id: identity.user_id.clone(),
    })
}

/// Receivers by id, for comparing.
fn in_order(mut receivers: Vec<Receiver>) -> Vec<Receiver> {
    receivers.sort_by(|a, b| a.id.cmp(&b.id));
    receivers
}

fn receivers<'a>(connections: impl IntoIterator<Item = &'a Connection>) -> Vec<Receiver> {
    in_order(connections.into_iter().filter_map(receiver).collect())
}
