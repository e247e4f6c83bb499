//! `POST /api/conversations` — opens the direct conversation with somebody, or a new group.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::auth::{Caller, Gate};
use shared::conversation::{
    Conversation, ConversationKind, ConversationView, LARGEST_GROUP, Listed, parse_group_name,
};
use shared::error::Error;
use shared::form::{Form, text};
use shared::id::{ConversationId, UserId};
use shared::lambda::http::{Reply, Request};
use shared::message::read::membership;
use shared::message::send::{Pair, direct};
use shared::ports::{Conversations, Users};
use shared::user::PublicUser;

enum Wanted {
    Direct(UserId),
    Group { others: BTreeSet<UserId>, name: String },
}

/// Answers 201 with the conversation; 200 when the direct one was there before.
///
/// # Errors
/// `Unauthenticated`; `Invalid` naming the field of a participant that cannot be.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    conversations: &dyn Conversations,
    request: Request,
) -> Result<Reply, Error> {
    let caller = gate.admit(&request).await?;
    match read(request.form()?)? {
        Wanted::Direct(other) => open_direct(users, conversations, &caller, &other, &request).await,
        Wanted::Group { others, name } => {
            open_group(users, conversations, &caller, others, name, &request).await
        }
    }
}

fn read(mut form: Form) -> Result<Wanted, Error> {
    let direct = form.optional("participantId", text(UserId::parse));
    let others = form.optional("participantIds", participants);
    let name = form.optional("name", text(parse_group_name));
    match (&direct, &others) {
        (Some(_), Some(_)) => form.wrong("participantIds", "give participantId or participantIds, not both"),
        (None, None) => {
            let fields = ["participantId", "participantIds"];
            form.wrong_unless_any_told(&fields, "give participantId, or participantIds and name");
        }
        (Some(_), None) if name.is_some() => form.wrong("name", "only a group has a name"),
        (None, Some(_)) if name.is_none() => form.wrong_unless_told("name", "is required for a group"),
        (Some(_), None) | (None, Some(_)) => {}
    }
    form.finish(|| match direct {
        Some(other) => Some(Wanted::Direct(other)),
        None => Some(Wanted::Group { others: others?, name: name? }),
    })
}

fn participants(value: &Value) -> Result<BTreeSet<UserId>, String> {
    let list = value.as_array().filter(|list| !list.is_empty() && list.len() < LARGEST_GROUP);
    let list = list.ok_or_else(|| format!("must be a list of 1 to {} user ids", LARGEST_GROUP - 1))?;
    list.iter()
        .map(|id| id.as_str().ok_or_else(|| "must hold user ids".to_owned()).and_then(UserId::parse))
        .collect()
}

async fn open_direct(
    users: &dyn Users,
    conversations: &dyn Conversations,
    caller: &Caller,
    other: &UserId,
    request: &Request,
) -> Result<Reply, Error> {
    let pair = Pair { a: &caller.user_id, b: other, field: "participantId" };
    let (conversation, new) = direct(users, conversations, pair, request.now, &request.entropy).await?;
    let listed = membership(conversations, &conversation.id, &caller.user_id).await?;
    let people = people(users, &listed.conversation.member_ids()).await?;
    let view = json!({ "conversation": ConversationView::of(listed, &people) });
    if new { Reply::created(view) } else { Reply::ok(view) }
}

async fn people(users: &dyn Users, ids: &[UserId]) -> Result<Vec<PublicUser>, Error> {
    Ok(users.by_ids(ids).await?.iter().map(PublicUser::from).collect())
}

async fn open_group(
    users: &dyn Users,
    conversations: &dyn Conversations,
    caller: &Caller,
    mut others: BTreeSet<UserId>,
    name: String,
    request: &Request,
) -> Result<Reply, Error> {
    others.remove(&caller.user_id);
    if others.is_empty() {
        return Err(Error::field("participantIds", "must name somebody else"));
    }
    let wanted: Vec<UserId> = others.into_iter().chain([caller.user_id.clone()]).collect();
    let people = people(users, &wanted).await?;
    if let Some(nobody) = wanted.iter().find(|id| people.iter().all(|user| user.id != **id)) {
        return Err(Error::field("participantIds", format!("{nobody} is not a user")));
    }
    let id = ConversationId::fresh(request.now, &request.entropy);
    let group = Conversation::of(id, ConversationKind::Group, Some(name), wanted, request.now);
    conversations.insert_group(&group).await?;
    let view = ConversationView::of(Listed { conversation: group, unread: 0 }, &people);
    Reply::created(json!({ "conversation": view }))
}
