//! `GET /api/messages/search` — searches the caller's own conversations by words, newest first.

use shared::auth::Gate;
use shared::chat::MemberLookup;
use shared::error::Error;
use shared::form::text;
use shared::id::{ConversationId, MessageId, UserId};
use shared::lambda::http::{Reply, Request};
use shared::message::Message;
use shared::page::{Page, PageSize};
use shared::ports::{Messages, SearchHit, SearchIndex, SearchQuery};
use shared::reply_data::{Hit, HitsData};
use shared::search::{LONGEST_QUERY, MAX_TERMS, highlight, matches, terms};

/// Answers 200 with hits. The index finds the ids; the messages themselves are read from the store.
///
/// # Errors
/// `Unauthenticated`, `Invalid`; `NotFound` for a conversation that the caller is no member of.
pub async fn handle(
    gate: Gate<'_>,
    members: MemberLookup<'_>,
    messages: &dyn Messages,
    index: &dyn SearchIndex,
    request: Request,
) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let (query, size) = read(&request, caller.user_id)?;
    let requester = request.requester().of_session(&query.member, &caller.session_id);
    let (user, cost) = (query.member.as_str(), cost(&query));
    gate.spend("user", user, cost, gate.rates.general, requester).await?;
    if let Some(conversation) = &query.conversation {
        members.get(conversation, &query.member).await?;
    }
    let page = Page::cut(index.search(&query).await?, size, |hit: &SearchHit| hit.cursor.clone());
    let ids: Vec<MessageId> = page.rows.into_iter().map(|hit| hit.message).collect();
    let mut found = messages.by_ids(&ids).await?;
    // The index may be behind: drop messages that were deleted or edited so that they no longer match.
    found.retain(|message| message.deleted_at.is_none() && matches(&message.content, &query.terms));
    found.sort_by(|a, b| b.id.cmp(&a.id));
    let hits = found.into_iter().map(|message| hit(message, &query.terms)).collect();
    Reply::ok(HitsData { hits, next_cursor: page.next })
}

/// The search, which reads one hit more than a page has, and the page's size.
fn read(request: &Request, member: UserId) -> Result<(SearchQuery, PageSize), Error> {
    let mut query = request.query_form();
    let terms = query.required("q", text(parse_terms));
    let conversation = query.optional("conversationId", text(ConversationId::parse));
    let size = query.optional("limit", PageSize::parse).unwrap_or_default();
    let after = query.optional("cursor", text(|cursor| MessageId::parse(cursor).map(|id| id.to_string())));
    let query = query.finish(|| {
        Some(SearchQuery { member, terms: terms?, conversation, after, limit: size.plus_one() })
    })?;
    Ok((query, size))
}

fn parse_terms(query: &str) -> Result<Vec<String>, String> {
    let is_short = query.chars().nth(LONGEST_QUERY).is_none();
    let terms = if is_short { terms(query) } else { Vec::new() };
    if (1..=MAX_TERMS).contains(&terms.len()) {
        Ok(terms)
    } else {
        Err(format!("must have 1 to {MAX_TERMS} words in at most {LONGEST_QUERY} characters"))
    }
}

fn hit(message: Message, terms: &[String]) -> Hit {
    Hit { highlight: highlight(&message.content, terms), message }
}

/// What a search costs beside the request itself: what it looks up and what it reads.
fn cost(query: &SearchQuery) -> u32 {
    u32::try_from(query.terms.len()).unwrap_or(u32::MAX).saturating_add(query.limit.div_ceil(10))
}
