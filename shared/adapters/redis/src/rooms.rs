//! `Rooms`: the connections that have a conversation open. Stored in both directions, so that ending a
//! connection finds its rooms.

use async_trait::async_trait;
use shared::connection::Receiver;
use shared::id::{ConnectionId, ConversationId};
use shared::ports::{Rooms, StoreResult};

use crate::{Redis, row};

#[async_trait]
impl Rooms for Redis {
    async fn join(&self, room: &ConversationId, id: &ConnectionId) -> StoreResult<()> {
        let mut script = self.scripts.join.prepare_invoke();
        script.key(&self.keys.connections).key(&self.keys.by_room).key(&self.keys.rooms_of);
        script.arg(id.as_str()).arg(room.as_str());
        self.server.script(&script).await
    }

    async fn leave(&self, room: &ConversationId, id: &ConnectionId) -> StoreResult<()> {
        let mut pipe = redis::pipe();
        pipe.atomic().zrem(&self.keys.by_room, format!("{room} {id}")).ignore();
        pipe.zrem(&self.keys.rooms_of, format!("{id} {room}")).ignore();
        self.server.pipe(&pipe).await
    }

    async fn joined(&self, room: &ConversationId) -> StoreResult<Vec<Receiver>> {
        let mut script = self.scripts.joined.prepare_invoke();
        script.key(&self.keys.connections).key(&self.keys.by_room).arg(room.as_str());
        row::receivers(&self.server.script::<Vec<String>>(&script).await?)
    }
}
