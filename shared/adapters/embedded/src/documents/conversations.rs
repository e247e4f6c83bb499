//! `Conversations`: one direct conversation per pair, lists by activity, and read positions.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use shared::conversation::{ActivityCursor, Conversation, Member, MemberConversation};
use shared::id::{ConversationId, UserId};
use shared::ports::{Conversations, StoreResult};

use super::rows::{self, MESSAGE, conversation_kind, conversation_kind_text, count, int, time};
use crate::Embedded;
use crate::error::{DbResult, corrupt};

/// The columns that [`conversation`] reads, from `conversations c`; an unread count and [`MESSAGE`] follow them.
const COLUMNS: &str = "c.id, c.kind, c.name, c.last_seq, c.created_at, c.updated_at";

/// The number of messages in `c` that the member ?1 has not read; the index `messages_by_place` covers it.
const UNREAD: &str = "(SELECT count(*) FROM messages n WHERE n.conversation_id = c.id
     AND n.seq > mine.read_seq AND n.sender_id <> ?1 AND n.deleted_at IS NULL)";

#[async_trait]
impl Conversations for Embedded {
    async fn ensure_direct(&self, new: &Conversation) -> StoreResult<(Conversation, bool)> {
        let key = new
            .pair_key()
            .ok_or_else(|| corrupt("conversations", "a direct conversation has exactly two members"))?;
        // The conversation almost always exists, and a read is cheaper than a write.
        let read_key = key.clone();
        if let Some(existing) = self.store.read(move |db| by_pair(db, &read_key)).await? {
            return Ok((existing, false));
        }
        let new = new.clone();
        self.store
            .write(move |db| match by_pair(db, &key)? {
                Some(existing) => Ok((existing, false)),
                None => insert(db, &new, Some(&key)).map(|()| (new, true)),
            })
            .await
    }

    async fn insert_group(&self, new: &Conversation) -> StoreResult<()> {
        let new = new.clone();
        self.store.write(move |db| insert(db, &new, None)).await
    }

    async fn for_member(
        &self,
        id: &ConversationId,
        member: &UserId,
    ) -> StoreResult<Option<MemberConversation>> {
        let (id, member) = (id.clone(), member.clone());
        let sql = format!(
            "SELECT {COLUMNS}, {UNREAD}, {MESSAGE} FROM members mine
             JOIN conversations c ON c.id = mine.conversation_id LEFT JOIN messages m ON m.row = c.last_message
             WHERE mine.user_id = ?1 AND mine.conversation_id = ?2"
        );
        self.store
            .read(move |db| {
                let mut select = db.prepare_cached(&sql)?;
                let mut rows = select.query([member.as_str(), id.as_str()])?;
                rows.next()?.map(|row| member_conversation(db, row)).transpose()
            })
            .await
    }

    async fn list(
        &self,
        member: &UserId,
        after: Option<&ActivityCursor>,
        limit: u32,
    ) -> StoreResult<Vec<MemberConversation>> {
        let (member, after) = (member.clone(), after.cloned());
        self.store.read(move |db| list(db, &member, after.as_ref(), limit)).await
    }

    async fn mark_read(&self, id: &ConversationId, member: &UserId, up_to: u64) -> StoreResult<Option<u64>> {
        let (id, member) = (id.clone(), member.clone());
        let sql = "UPDATE members SET read_seq = max(read_seq, min(?3,
                     (SELECT c.last_seq FROM conversations c WHERE c.id = ?2)))
                   WHERE user_id = ?1 AND conversation_id = ?2 RETURNING read_seq";
        self.store
            .write(move |db| {
                let values = params![member.as_str(), id.as_str(), int(up_to)];
                Ok(db.prepare_cached(sql)?.query_row(values, |row| count(row, 0)).optional()?)
            })
            .await
    }

    async fn contacts(
        &self,
        member: &UserId,
        after: Option<&UserId>,
        limit: u32,
    ) -> StoreResult<Vec<UserId>> {
        let (member, after) = (member.clone(), after.cloned());
        let sql = "SELECT DISTINCT other.user_id FROM members mine
                   JOIN members other ON other.conversation_id = mine.conversation_id
                   WHERE mine.user_id = ?1 AND other.user_id <> ?1 AND other.user_id > ?2
                   ORDER BY other.user_id LIMIT ?3";
        self.store
            .read(move |db| {
                let after = after.as_ref().map_or("", UserId::as_str);
                let mut select = db.prepare_cached(sql)?;
                let rows = select.query_map(params![member.as_str(), after, limit], |row| {
                    row.get::<_, String>(0).map(UserId::trusted)
                })?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    async fn unread(&self, member: &UserId) -> StoreResult<Vec<(ConversationId, u64)>> {
        let member = member.clone();
        let sql = format!(
            "SELECT id, unread FROM (
                 SELECT c.id AS id, {UNREAD} AS unread FROM members mine
                 JOIN conversations c ON c.id = mine.conversation_id
                 WHERE mine.user_id = ?1 AND c.last_seq > mine.read_seq)
             WHERE unread > 0"
        );
        self.store
            .read(move |db| {
                let mut select = db.prepare_cached(&sql)?;
                let rows = select.query_map([member.as_str()], |row| {
                    Ok((ConversationId::trusted(row.get::<_, String>(0)?), count(row, 1)?))
                })?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }
}

fn insert(db: &Connection, new: &Conversation, pair_key: Option<&str>) -> DbResult<()> {
    let sql = "INSERT INTO conversations (id, kind, name, pair_key, created_at, updated_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.prepare_cached(sql)?.execute(params![
        new.id.as_str(),
        conversation_kind_text(new.kind),
        new.name,
        pair_key,
        new.created_at.millis(),
        new.updated_at.millis(),
    ])?;
    let mut join = db.prepare_cached("INSERT INTO members (user_id, conversation_id) VALUES (?1, ?2)")?;
    for member in &new.members {
        join.execute([member.user_id.as_str(), new.id.as_str()])?;
    }
    Ok(())
}

fn by_pair(db: &Connection, key: &str) -> DbResult<Option<Conversation>> {
    let sql = format!(
        "SELECT {COLUMNS}, 0, {MESSAGE} FROM conversations c LEFT JOIN messages m ON m.row = c.last_message
         WHERE c.pair_key = ?1"
    );
    let mut select = db.prepare_cached(&sql)?;
    let mut rows = select.query([key])?;
    rows.next()?.map(|row| conversation(db, row)).transpose()
}

fn list(
    db: &Connection,
    member: &UserId,
    after: Option<&ActivityCursor>,
    limit: u32,
) -> DbResult<Vec<MemberConversation>> {
    // The page is selected first, so that unread messages are counted for its rows only.
    let sql = format!(
        "WITH page AS MATERIALIZED (
             SELECT c.id AS id, c.updated_at AS updated_at, mine.read_seq AS read_seq
             FROM members mine JOIN conversations c ON c.id = mine.conversation_id
             WHERE mine.user_id = ?1 AND (c.updated_at, c.id) < (?2, ?3)
             ORDER BY c.updated_at DESC, c.id DESC LIMIT ?4)
         SELECT {COLUMNS}, {UNREAD}, {MESSAGE} FROM page mine
         JOIN conversations c ON c.id = mine.id LEFT JOIN messages m ON m.row = c.last_message
         ORDER BY mine.updated_at DESC, mine.id DESC"
    );
    let (at, id) = after.map_or((i64::MAX, ""), |after| (after.updated_at.millis(), after.id.as_str()));
    let mut select = db.prepare_cached(&sql)?;
    let mut rows = select.query(params![member.as_str(), at, id, limit])?;
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        page.push(member_conversation(db, row)?);
    }
    Ok(page)
}

fn member_conversation(db: &Connection, row: &Row<'_>) -> DbResult<MemberConversation> {
    Ok(MemberConversation { conversation: conversation(db, row)?, unread: count(row, 6)? })
}

fn conversation(db: &Connection, row: &Row<'_>) -> DbResult<Conversation> {
    let id = ConversationId::trusted(row.get::<_, String>(0)?);
    let has_last_message = row.get::<_, Option<String>>(7)?.is_some();
    Ok(Conversation {
        kind: conversation_kind(&row.get::<_, String>(1)?)?,
        name: row.get(2)?,
        members: members(db, &id)?,
        last_seq: count(row, 3)?,
        last_message: if has_last_message { Some(rows::message(row, 7)?) } else { None },
        created_at: time(row, 4)?,
        updated_at: time(row, 5)?,
        id,
    })
}

fn members(db: &Connection, id: &ConversationId) -> DbResult<Vec<Member>> {
    let sql = "SELECT user_id, read_seq FROM members WHERE conversation_id = ?1 ORDER BY user_id";
    let mut select = db.prepare_cached(sql)?;
    let rows = select.query_map([id.as_str()], |row| {
        Ok(Member { user_id: UserId::trusted(row.get::<_, String>(0)?), read_seq: count(row, 1)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
