//! `SearchIndex`: FTS5 over folded words, joined with membership. Messages enter the index in batches, at
//! the latest when somebody searches, so that a send pays little for it and a search misses nothing.
//!
//! Each row also holds a word for its conversation, which lets FTS5 itself leave out most of what is not the
//! member's. It only saves work: who may see a hit is decided by the membership that is stored now.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use shared::id::{ConversationId, MessageId};
use shared::ports::{SearchHit, SearchIndex, SearchQuery, StoreResult};
use shared::search::vocabulary;

use crate::Embedded;
use crate::error::Done;

/// A row whose number divides by this takes all waiting ones into the index.
const BATCH: i64 = 128;
/// Begins a conversation's word. Not a letter, so no word of a message or of a query begins with it, and not
/// ASCII, so the tokenizer takes it for a part of the word.
const SCOPE: char = '¶';
/// The member's conversations are named in the query up to so many.
const SCOPES: u32 = 256;

#[async_trait]
impl SearchIndex for Embedded {
    async fn search(&self, query: &SearchQuery) -> StoreResult<Vec<SearchHit>> {
        let Some(expression) = expression(&query.terms) else { return Ok(Vec::new()) };
        if self.store.read(waiting).await? {
            self.store.write(catch_up).await?;
        }
        let query = query.clone();
        self.store
            .read(move |db| match scopes(db, &query)? {
                Some(scopes) if scopes.is_empty() => Ok(Vec::new()),
                Some(scopes) => search(db, &query, &format!("({}) AND {expression}", scopes.join(" OR "))),
                None => search(db, &query, &expression),
            })
            .await
    }
}

/// The terms in FTS5's language: all of them, each as the beginning of a word. Terms hold letters and digits
/// only, which is made sure of here, so nothing of the language itself can be smuggled in.
fn expression(terms: &[String]) -> Option<String> {
    let words = terms.iter().flat_map(|term| term.split(|c: char| !c.is_alphanumeric()));
    let words: Vec<String> = words.filter(|w| !w.is_empty()).map(|word| format!("\"{word}\"*")).collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

/// The words of the conversations that are asked about; `None` when they are too many to name.
fn scopes(db: &Connection, query: &SearchQuery) -> Done<Option<Vec<String>>> {
    let sql = "SELECT conversation_id FROM members WHERE user_id = ?1
               AND (?2 IS NULL OR conversation_id = ?2) LIMIT ?3";
    let mut select = db.prepare_cached(sql)?;
    let conversation = query.conversation.as_ref().map(ConversationId::as_str);
    let ids = select.query_map(params![query.member.as_str(), conversation, SCOPES + 1], |row| {
        row.get::<_, String>(0).map(|id| format!("\"{}\"", scope(&id)))
    })?;
    let scopes: Vec<String> = ids.collect::<rusqlite::Result<_>>()?;
    Ok((scopes.len() <= SCOPES as usize).then_some(scopes))
}

/// A conversation's word: one word for the tokenizer, whatever its id is made of.
fn scope(id: &str) -> String {
    std::iter::once(SCOPE).chain(id.chars().filter(char::is_ascii_alphanumeric)).collect()
}

fn search(db: &Connection, query: &SearchQuery, expression: &str) -> Done<Vec<SearchHit>> {
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

/// A message was stored in this row.
pub(super) fn appended(db: &Connection, row: i64) -> Done<()> {
    if row % BATCH == 0 { catch_up(db) } else { Ok(()) }
}

/// The message in this row says something else now.
pub(super) fn replace(db: &Connection, row: i64, content: &str) -> Done<()> {
    if row <= up_to(db)? {
        let sql = "SELECT conversation_id FROM messages WHERE row = ?1";
        let conversation: String = db.prepare_cached(sql)?.query_row([row], |row| row.get(0))?;
        forget(db, row)?;
        remember(db, row, &conversation, content)?;
    }
    Ok(())
}

/// The message in this row is no more.
pub(super) fn remove(db: &Connection, row: i64) -> Done<()> {
    if row <= up_to(db)? { forget(db, row) } else { Ok(()) }
}

fn up_to(db: &Connection) -> Done<i64> {
    Ok(db.prepare_cached("SELECT up_to FROM indexed")?.query_row([], |row| row.get(0))?)
}

fn waiting(db: &Connection) -> Done<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM messages WHERE row > (SELECT up_to FROM indexed))";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Takes every waiting message into the index; deleted ones stay out.
fn catch_up(db: &Connection) -> Done<()> {
    let mut last = up_to(db)?;
    let sql = "SELECT row, conversation_id, content, deleted_at IS NULL FROM messages
               WHERE row > ?1 ORDER BY row";
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([last])?;
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        if row.get(3)? {
            remember(db, last, &row.get::<_, String>(1)?, &row.get::<_, String>(2)?)?;
        }
    }
    db.prepare_cached("UPDATE indexed SET up_to = ?1")?.execute([last])?;
    Ok(())
}

fn remember(db: &Connection, row: i64, conversation: &str, content: &str) -> Done<()> {
    let mut words = scope(conversation);
    for word in vocabulary(content) {
        words.push(' ');
        words.push_str(&word);
    }
    db.prepare_cached("INSERT INTO message_words (rowid, words) VALUES (?1, ?2)")?
        .execute(params![row, words])?;
    Ok(())
}

/// Harmless for a row that is not there.
fn forget(db: &Connection, row: i64) -> Done<()> {
    db.prepare_cached("DELETE FROM message_words WHERE rowid = ?1")?.execute([row])?;
    Ok(())
}
