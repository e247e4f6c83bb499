//! `GET /api/messages/search` — finds words in the caller's own conversations, newest first.

use serde_json::{Value, json};
use shared::auth::Gate;
use shared::conversation::Circles;
use shared::error::Error;
use shared::form::text;
use shared::id::{ConversationId, MessageId, UserId};
use shared::lambda::http::{Reply, Request};
use shared::message::Message;
use shared::page::{Limit, Page};
use shared::ports::{Messages, SearchHit, SearchIndex, SearchQuery};
use shared::search::{MOST_TERMS, highlight, matches, terms};

/// Answers 200 with hits. The index only says which; what a message says now comes from the store.
///
/// # Errors
/// `Unauthenticated`, `Invalid`; `NotFound` for a conversation that the caller is not in.
pub async fn handle(
    gate: Gate<'_>,
    circles: Circles<'_>,
    messages: &dyn Messages,
    index: &dyn SearchIndex,
    request: Request,
) -> Result<Reply, Error> {
    let caller = gate.admit(&request).await?;
    let (query, limit) = read(&request, caller.user_id)?;
    if let Some(conversation) = &query.conversation {
        circles.of(conversation, &query.member).await?;
    }
    let page = Page::cut(index.search(&query).await?, limit, |hit: &SearchHit| hit.cursor.clone());
    let ids: Vec<MessageId> = page.rows.into_iter().map(|hit| hit.message).collect();
    let mut found = messages.by_ids(&ids).await?;
    // An index may be a moment behind: what was edited or deleted since is no hit any more.
    found.retain(|message| message.deleted_at.is_none() && matches(&message.content, &query.terms));
    found.sort_by(|a, b| b.id.cmp(&a.id));
    let hits: Vec<Value> = found.iter().map(|message| hit(message, &query.terms)).collect();
    Reply::ok(json!({ "hits": hits, "nextCursor": page.next }))
}

/// The member's search and the page's size.
fn read(request: &Request, member: UserId) -> Result<(SearchQuery, Limit), Error> {
    let mut query = request.query_form();
    let terms = query.required("q", text(parse_terms));
    let conversation = query.optional("conversationId", text(ConversationId::parse));
    let limit = query.optional("limit", Limit::parse).unwrap_or_default();
    let after = query.optional("cursor", text(|cursor| MessageId::parse(cursor).map(|id| id.to_string())));
    let query = query.finish(|| {
        Some(SearchQuery { member, terms: terms?, conversation, after, limit: limit.plus_one() })
    })?;
    Ok((query, limit))
}

fn parse_terms(q: &str) -> Result<Vec<String>, String> {
    let found = if q.len() <= 400 { terms(q) } else { Vec::new() };
    if (1..=MOST_TERMS).contains(&found.len()) {
        Ok(found)
    } else {
        Err(format!("must hold 1 to {MOST_TERMS} words in at most 400 bytes"))
    }
}

fn hit(message: &Message, terms: &[String]) -> Value {
    json!({ "message": message, "highlight": highlight(&message.content, terms) })
}
