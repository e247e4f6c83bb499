//! `SearchIndex`: FTS5 over folded words, joined with membership. Messages are indexed in batches, at the latest
//! by the next search: a send costs little, and a search misses nothing.
//!
//! Each indexed text also contains a scope word for its conversation, with which FTS5 leaves out most messages of
//! other conversations. That only saves work: the `members` table decides which hits a user may see.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use shared::id::{ConversationId, MessageId};
use shared::ports::{SearchHit, SearchIndex, SearchQuery, StoreResult};
use shared::search::vocabulary;

use crate::Embedded;
use crate::error::DbResult;

/// How many messages are indexed together.
const BATCH: i64 = 128;
/// Starts every scope word. It is no letter, so no word of a message or query starts with it, and it is not ASCII,
/// so the tokenizer treats it as part of the word.
const SCOPE_PREFIX: char = '¶';
/// How many conversations one query searches. A member of more takes more queries, so that none reads messages of
/// other conversations.
const SCOPES_AT_ONCE: usize = 256;

#[async_trait]
impl SearchIndex for Embedded {
    async fn search(&self, query: &SearchQuery) -> StoreResult<Vec<SearchHit>> {
        let Some(expression) = expression(&query.terms) else { return Ok(Vec::new()) };
        if self.store.read(any_waiting).await? {
            self.store.write(index_waiting).await?;
        }
        let query = query.clone();
        self.store
            .read(move |db| {
                let mut newest: Vec<SearchHit> = Vec::new();
                for scoped in scoped_expressions(&scopes(db, &query)?, &expression) {
                    newest.extend(search(db, &query, &scoped)?);
                    newest.sort_unstable_by(|a, b| b.message.cmp(&a.message));
                    newest.truncate(query.limit as usize);
                }
                Ok(newest)
            })
            .await
    }
}

/// The terms as an FTS5 expression: all must match, each as the prefix of a word. Terms are split at every character
/// that is no letter or digit, so they cannot inject FTS5 syntax.
fn expression(terms: &[String]) -> Option<String> {
    let words = terms.iter().flat_map(|term| term.split(|c: char| !c.is_alphanumeric()));
    let words: Vec<String> = words.filter(|w| !w.is_empty()).map(|word| format!("\"{word}\"*")).collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

/// The expression for each batch of conversations.
fn scoped_expressions(scopes: &[String], expression: &str) -> Vec<String> {
    let batches = scopes.chunks(SCOPES_AT_ONCE);
    batches.map(|scopes| format!("({}) AND {expression}", scopes.join(" OR "))).collect()
}

/// The scope words of the searched conversations.
fn scopes(db: &Connection, query: &SearchQuery) -> DbResult<Vec<String>> {
    let sql = "SELECT conversation_id FROM members WHERE user_id = ?1
               AND (?2 IS NULL OR conversation_id = ?2)";
    let mut select = db.prepare_cached(sql)?;
    let conversation = query.conversation.as_ref().map(ConversationId::as_str);
    let ids = select.query_map(params![query.member.as_str(), conversation], |row| {
        row.get::<_, String>(0).map(|id| format!("\"{}\"", scope_word(&id)))
    })?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// The scope word of a conversation: one word for the tokenizer, whatever characters the id contains.
fn scope_word(id: &str) -> String {
    std::iter::once(SCOPE_PREFIX).chain(id.chars().filter(char::is_ascii_alphanumeric)).collect()
}

fn search(db: &Connection, query: &SearchQuery, expression: &str) -> DbResult<Vec<SearchHit>> {
    let sql = "SELECT m.id FROM message_words CROSS JOIN messages m ON m.row = message_words.rowid
               WHERE message_words MATCH ?1 AND (?2 IS NULL OR m.conversation_id = ?2)
               AND (?3 IS NULL OR m.id < ?3) AND m.deleted_at IS NULL
               AND EXISTS (SELECT 1 FROM members mine WHERE mine.user_id = ?4
                           AND mine.conversation_id = m.conversation_id)
               ORDER BY m.id DESC LIMIT ?5";
    let mut select = db.prepare_cached(sql)?;
    let conversation = query.conversation.as_ref().map(ConversationId::as_str);
    let values = params![expression, conversation, query.after, query.member.as_str(), query.limit];
    let hits = select.query_map(values, |row| {
        let id: String = row.get(0)?;
        Ok(SearchHit { cursor: id.clone(), message: MessageId::trusted(id) })
    })?;
    Ok(hits.collect::<rusqlite::Result<_>>()?)
}

/// Called when a message was stored; every [`BATCH`]th row indexes all messages that wait.
pub(super) fn on_append(db: &Connection, row: i64) -> DbResult<()> {
    if row % BATCH == 0 { index_waiting(db) } else { Ok(()) }
}

/// Called when a message was edited. If it is not indexed yet, it will be indexed with its new content.
pub(super) fn on_edit(db: &Connection, row: i64, content: &str) -> DbResult<()> {
    if row <= indexed_up_to(db)? {
        let sql = "SELECT conversation_id FROM messages WHERE row = ?1";
        let conversation: String = db.prepare_cached(sql)?.query_row([row], |row| row.get(0))?;
        delete_words(db, row)?;
        insert_words(db, row, &conversation, content)?;
    }
    Ok(())
}

/// Called when a message was deleted. If it is not indexed yet, it never will be.
pub(super) fn on_delete(db: &Connection, row: i64) -> DbResult<()> {
    if row <= indexed_up_to(db)? { delete_words(db, row) } else { Ok(()) }
}

fn indexed_up_to(db: &Connection) -> DbResult<i64> {
    Ok(db.prepare_cached("SELECT up_to FROM indexed")?.query_row([], |row| row.get(0))?)
}

fn any_waiting(db: &Connection) -> DbResult<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM messages WHERE row > (SELECT up_to FROM indexed))";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Indexes every message that waits, except deleted ones.
fn index_waiting(db: &Connection) -> DbResult<()> {
    let mut last = indexed_up_to(db)?;
    let sql = "SELECT row, conversation_id, content, deleted_at IS NULL FROM messages
               WHERE row > ?1 ORDER BY row";
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([last])?;
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        if row.get(3)? {
            insert_words(db, last, &row.get::<_, String>(1)?, &row.get::<_, String>(2)?)?;
        }
    }
    db.prepare_cached("UPDATE indexed SET up_to = ?1")?.execute([last])?;
    Ok(())
}

fn insert_words(db: &Connection, row: i64, conversation: &str, content: &str) -> DbResult<()> {
    let mut words = scope_word(conversation);
    for word in vocabulary(content) {
        words.push(' ');
        words.push_str(&word);
    }
    db.prepare_cached("INSERT INTO message_words (rowid, words) VALUES (?1, ?2)")?
        .execute(params![row, words])?;
    Ok(())
}

/// Does nothing for a row that is not in the index: a deleted message may be deleted again.
fn delete_words(db: &Connection, row: i64) -> DbResult<()> {
    db.prepare_cached("DELETE FROM message_words WHERE rowid = ?1")?.execute([row])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{SCOPES_AT_ONCE, scoped_expressions};

    #[test]
    fn every_query_of_a_member_of_many_conversations_names_its_conversations() {
        let scopes: Vec<String> = (0..2 * SCOPES_AT_ONCE + 1).map(|n| format!("\"¶{n}\"")).collect();
        let queries = scoped_expressions(&scopes, "\"word\"*");
        let named: Vec<usize> = queries.iter().map(|query| query.matches('¶').count()).collect();
        assert_eq!(named, [SCOPES_AT_ONCE, SCOPES_AT_ONCE, 1]);
        assert!(queries.iter().all(|query| query.ends_with(") AND \"word\"*")));
        assert!(scoped_expressions(&[], "\"word\"*").is_empty());
    }
}
