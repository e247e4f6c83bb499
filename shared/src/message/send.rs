//! Sending a message: over HTTP, over a socket, and as the consumer of planned messages.

use crate::conversation::{Circle, Circles, Conversation};
use crate::error::Error;
use crate::form::{Form, text};
use crate::id::{ConnectionId, ConversationId, Entropy, MessageId, UserId};
use crate::message::{Appended, Content, Draft, Message, MessageKind, parse_client_message_id};
use crate::ports::{Cache, Conversations, Messages, Stored, Users};
use crate::realtime::event::ServerEvent;
use crate::realtime::fanout::Fanout;
use crate::time::Time;

/// The ports that writing and reading messages needs.
#[derive(Clone, Copy)]
pub struct Chat<'a> {
    /// Who exists.
    pub users: &'a dyn Users,
    /// Who talks with whom.
    pub conversations: &'a dyn Conversations,
    /// Who was found to talk with whom.
    pub cache: &'a dyn Cache,
    /// What was written.
    pub messages: &'a dyn Messages,
    /// Who is told.
    pub fanout: Fanout<'a>,
}

impl<'a> Chat<'a> {
    /// Who takes part in which conversation.
    pub fn circles(&self) -> Circles<'a> {
        Circles { conversations: self.conversations, cache: self.cache }
    }
}

/// What a client wants to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub target: Target,
    /// What.
    pub content: Content,
    /// The client's own key.
    pub client_message_id: Option<String>,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Into a conversation that exists.
    Conversation(ConversationId),
    /// To a person; the conversation is made if there is none.
    Receiver(UserId),
}

/// What sending led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The message, as it was first stored.
    pub message: Message,
    /// Whether this call stored it.
    pub fresh: bool,
}

/// Who sends, from where, when.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// Who.
    pub user_id: &'a UserId,
    /// The socket it came by, which gets an ack instead of the event.
    pub via: Option<&'a ConnectionId>,
    /// When.
    pub now: Time,
    /// Where the id comes from.
    pub entropy: &'a Entropy,
}

impl Outgoing {
    /// Reads `{conversationId or receiverId, content, clientMessageId?}`; a conversation that the path
    /// names takes the place of the first two.
    pub fn read(mut form: Form, fixed: Option<ConversationId>) -> Result<Self, Error> {
        let target = match fixed {
            Some(id) => read_same(&mut form, id),
            None => read_target(&mut form),
        };
        let content = form.required("content", text(Content::parse));
        let client_message_id = form.optional("clientMessageId", text(parse_client_message_id));
        form.finish(|| Some(Self { target: target?, content: content?, client_message_id }))
    }
}

/// The body may repeat what the path says.
fn read_same(form: &mut Form, id: ConversationId) -> Option<Target> {
    let named = form.optional("conversationId", text(ConversationId::parse));
    if named.is_some_and(|named| named != id) {
        form.wrong("conversationId", "is not the conversation of the path");
    }
    Some(Target::Conversation(id))
}

fn read_target(form: &mut Form) -> Option<Target> {
    let conversation = form.optional("conversationId", text(ConversationId::parse));
    let receiver = form.optional("receiverId", text(UserId::parse));
    match (conversation, receiver) {
        (Some(id), None) => Some(Target::Conversation(id)),
        (None, Some(id)) => Some(Target::Receiver(id)),
        (Some(_), Some(_)) => {
            form.wrong("receiverId", "give conversationId or receiverId, not both");
            None
        }
        (None, None) => {
            let fields = ["conversationId", "receiverId"];
            form.wrong_unless_any_told(&fields, "give conversationId or receiverId");
            None
        }
    }
}

/// Stores the message once and tells everybody whom it concerns, once.
///
/// # Errors
/// `NotFound` for a conversation that the sender is not in, `Invalid` for an impossible receiver,
/// `Conflict` when the client's key was used for another message.
pub async fn send(chat: &Chat<'_>, sender: Sender<'_>, outgoing: Outgoing) -> Result<Sent, Error> {
    let circle = find(chat, sender, &outgoing.target).await?;
    let draft = Draft {
        id: MessageId::fresh(sender.now, sender.entropy),
        conversation_id: circle.id.clone(),
        sender_id: sender.user_id.clone(),
        content: outgoing.content,
        kind: MessageKind::Text,
        client_message_id: outgoing.client_message_id,
        auto_message_id: None,
        created_at: sender.now,
    };
    match chat.messages.append(&draft).await? {
        Appended::Fresh(message) => {
            tell(chat, &circle, &message, sender).await;
            Ok(Sent { message, fresh: true })
        }
        Appended::Repeat(first) if is_same(&first, &draft) => Ok(Sent { message: first, fresh: false }),
        Appended::Repeat(_) => {
            Err(Error::Conflict("this clientMessageId was used for another message".to_owned()))
        }
    }
}

/// Tells the other members' devices and the sender's other devices. Who waits for this has a message that is
/// stored, so a failure is only logged.
async fn tell(chat: &Chat<'_>, circle: &Circle, message: &Message, sender: Sender<'_>) {
    if let Err(error) = announce(chat, circle, message, sender.via, sender.now).await {
        tracing::warn!(error = %error, "a stored message could not be announced");
    }
}

/// Tells the other members' devices and the sender's other devices; a device that is gone is no failure.
///
/// # Errors
/// When nobody can say which devices there are. Nobody was told then.
pub async fn announce(
    chat: &Chat<'_>,
    circle: &Circle,
    message: &Message,
    via: Option<&ConnectionId>,
    now: Time,
) -> Stored<()> {
    let receivers = chat.fanout.connections.of_users(&circle.members).await?;
    let (own, others): (Vec<_>, Vec<_>) = receivers.into_iter().partition(|r| r.user_id == message.sender_id);
    chat.fanout.to(&others, via, &ServerEvent::MessageReceived { message }, now).await;
    chat.fanout.to(&own, via, &ServerEvent::MessageSent { message }, now).await;
    Ok(())
}

/// An edited or deleted message is still the answer to its own key, so that a late repeat is no conflict.
fn is_same(first: &Message, draft: &Draft) -> bool {
    let changed = first.edited_at.is_some() || first.deleted_at.is_some();
    first.conversation_id == draft.conversation_id && (changed || first.content == draft.content.as_str())
}

async fn find(chat: &Chat<'_>, sender: Sender<'_>, target: &Target) -> Result<Circle, Error> {
    match target {
        Target::Conversation(id) => chat.circles().of(id, sender.user_id).await,
        Target::Receiver(receiver) => {
            let of = Pair { a: sender.user_id, b: receiver, field: "receiverId" };
            let (conversation, _) =
                direct(chat.users, chat.conversations, of, sender.now, sender.entropy).await?;
            Ok(Circle::from(&conversation))
        }
    }
}

/// Two people, and the field that named the second.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The caller.
    pub a: &'a UserId,
    /// The other.
    pub b: &'a UserId,
    /// What to blame when the other cannot be.
    pub field: &'static str,
}

/// The pair's one conversation; `true` if it is new.
///
/// # Errors
/// `Invalid` naming the field when the other is the caller or nobody.
pub async fn direct(
    users: &dyn Users,
    conversations: &dyn Conversations,
    pair: Pair<'_>,
    now: Time,
    entropy: &Entropy,
) -> Result<(Conversation, bool), Error> {
    if pair.a == pair.b {
        return Err(Error::field(pair.field, "must be somebody else"));
    }
    let found = users.by_ids(std::slice::from_ref(pair.b)).await?;
    if found.iter().all(|user| user.deactivated_at.is_some()) {
        return Err(Error::field(pair.field, "is not a user"));
    }
    let new = Conversation::direct(ConversationId::fresh(now, entropy), pair.a, pair.b, now);
    Ok(conversations.ensure_direct(&new).await?)
}
