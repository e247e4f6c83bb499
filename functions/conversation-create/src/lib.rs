//! `POST /api/conversations` — creates the direct conversation with another user, or a group.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::auth::{Caller, Gate};
use shared::chat::{DirectRequest, ensure_direct};
use shared::conversation::{
    Conversation, ConversationKind, ConversationView, LARGEST_GROUP, MemberConversation, parse_group_name,
};
use shared::error::Error;
use shared::form::{Form, text};
use shared::id::{ConversationId, UserId};
use shared::lambda::http::{Reply, Request};
use shared::ports::{Conversations, Users};
use shared::reply_data::ConversationData;
use shared::user::PublicUser;

enum CreateRequest {
    Direct(UserId),
    Group { others: BTreeSet<UserId>, name: String },
}

/// Answers 201 with the conversation; 200 when the direct one existed before.
///
/// # Errors
/// `Unauthenticated`; `Invalid` naming the field of an impossible participant.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    conversations: &dyn Conversations,
    request: Request,
) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    match read(request.form()?)? {
        CreateRequest::Direct(other) => open_direct(users, conversations, &caller, &other, &request).await,
        CreateRequest::Group { others, name } => {
            // Every member is read and written.
            let (user, cost) = (caller.user_id.as_str(), u32::try_from(others.len()).unwrap_or(u32::MAX));
            let requester = request.requester().of_session(&caller.user_id, &caller.session_id);
            gate.spend("user", user, cost, gate.rates.general, requester).await?;
            open_group(users, conversations, &caller, others, name, &request).await
        }
    }
}

fn read(mut form: Form) -> Result<CreateRequest, Error> {
    let direct = form.optional("participantId", text(UserId::parse));
    let others = form.optional("participantIds", participants);
    let name = form.optional("name", text(parse_group_name));
    match (&direct, &others) {
        (Some(_), Some(_)) => {
            form.add_error("participantIds", "must be left out when participantId is given");
        }
        (None, None) => {
            let fields = ["participantId", "participantIds"];
            form.add_error_unless_any(&fields, "is required, or else participantIds and name");
        }
        (Some(_), None) if name.is_some() => {
            form.add_error("name", "must be left out: only a group has a name");
        }
        (None, Some(_)) if name.is_none() => form.add_error_once("name", "is required for a group"),
        (Some(_), None) | (None, Some(_)) => {}
    }
    form.finish(|| match direct {
        Some(other) => Some(CreateRequest::Direct(other)),
        None => Some(CreateRequest::Group { others: others?, name: name? }),
    })
}

fn participants(value: &Value) -> Result<BTreeSet<UserId>, String> {
    let list = value.as_array().filter(|list| !list.is_empty() && list.len() < LARGEST_GROUP);
    let list = list.ok_or_else(|| format!("must be a list of 1 to {} user ids", LARGEST_GROUP - 1))?;
    list.iter()
        .map(|id| id.as_str().ok_or_else(|| "must contain user ids only".to_owned()).and_then(UserId::parse))
        .collect()
}

async fn open_direct(
    users: &dyn Users,
    conversations: &dyn Conversations,
    caller: &Caller,
    other: &UserId,
    request: &Request,
) -> Result<Reply, Error> {
    let direct = DirectRequest {
        caller: &caller.user_id,
        other,
        field: "participantId",
        now: request.now,
        entropy: &request.entropy,
    };
    let (conversation, created) = ensure_direct(users, conversations, direct).await?;
    let found = conversations.for_member(&conversation.id, &caller.user_id).await?;
    let found = found.ok_or(Error::NotFound("the conversation"))?;
    let participants = public_users(users, &found.conversation.member_ids()).await?;
    let data = ConversationData { conversation: ConversationView::of(found, &participants) };
    if created { Reply::created(data) } else { Reply::ok(data) }
}

async fn public_users(users: &dyn Users, ids: &[UserId]) -> Result<Vec<PublicUser>, Error> {
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
        return Err(Error::field("participantIds", "must name another user, not only yourself"));
    }
    let members: Vec<UserId> = others.into_iter().chain([caller.user_id.clone()]).collect();
    let found = users.by_ids(&members).await?;
    let active = found.iter().filter(|user| user.deactivated_at.is_none());
    let participants: Vec<PublicUser> = active.map(PublicUser::from).collect();
    if let Some(unknown) = members.iter().find(|id| participants.iter().all(|user| user.id != **id)) {
        return Err(Error::field("participantIds", format!("must name users only; {unknown} is not one")));
    }
    let id = ConversationId::fresh(request.now, &request.entropy);
    let group = Conversation::of(id, ConversationKind::Group, Some(name), members, request.now);
    conversations.insert_group(&group).await?;
    let conversation =
        ConversationView::of(MemberConversation { conversation: group, unread: 0 }, &participants);
    Reply::created(ConversationData { conversation })
}
