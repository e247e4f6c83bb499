//! The durable documents: users, conversations, messages, automatic messages, and the search over them.
//! Everything acknowledged here survives the death of the process that asked.

use async_trait::async_trait;

use crate::auto_message::AutoMessage;
use crate::conversation::{ActivityCursor, Conversation, MemberConversation};
use crate::id::{AutoMessageId, ConversationId, MessageId, UserId};
use crate::message::{Appended, Draft, Message, SeqRange};
use crate::ports::StoreResult;
use crate::time::Time;
use crate::user::{Login, User, UserChange};

/// Who exists.
#[async_trait]
pub trait Users: Send + Sync {
    /// Stores a new user; [`Taken`](crate::error::StoreError::Taken) with `username` or `email`.
    async fn insert(&self, user: &User) -> StoreResult<()>;
    /// Those of `ids` that exist, in no order.
    async fn by_ids(&self, ids: &[UserId]) -> StoreResult<Vec<User>>;
    /// By folded e-mail or username.
    async fn by_login(&self, login: &Login) -> StoreResult<Option<User>>;
    /// Changes what is `Some`; the user as it is afterwards, `None` if there is none.
    async fn update(&self, id: &UserId, change: &UserChange) -> StoreResult<Option<User>>;
    /// Moves `last_seen_at` forward, never back.
    async fn mark_seen(&self, id: &UserId, at: Time) -> StoreResult<()>;
    /// Active users by folded username; `search` is a folded prefix of username or of a word of the
    /// display name; `after` is the last row's folded username.
    async fn list(&self, search: Option<&str>, after: Option<&str>, limit: u32) -> StoreResult<Vec<User>>;
    /// Ids of users not deactivated and seen at or after `since`, by id, after `after`.
    async fn active(&self, since: Time, after: Option<&UserId>, limit: u32) -> StoreResult<Vec<UserId>>;
}

/// Who talks with whom, and how far each has read.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// The pair's one conversation: `new`, or the one that was there first. `true` if it is new.
    async fn ensure_direct(&self, new: &Conversation) -> StoreResult<(Conversation, bool)>;
    /// Stores a new group.
    async fn insert_group(&self, new: &Conversation) -> StoreResult<()>;
    /// A conversation that `member` takes part in; `None` for everybody else.
    async fn for_member(
        &self,
        id: &ConversationId,
        member: &UserId,
    ) -> StoreResult<Option<MemberConversation>>;
    /// The member's conversations, newest activity first, strictly after the cursor.
    async fn list(
        &self,
        member: &UserId,
        after: Option<&ActivityCursor>,
        limit: u32,
    ) -> StoreResult<Vec<MemberConversation>>;
    /// Moves the member's `read_seq` forward to `up_to` (capped at `last_seq`), never back; the value it
    /// has afterwards, `None` if there is no such membership.
    async fn mark_read(&self, id: &ConversationId, member: &UserId, up_to: u64) -> StoreResult<Option<u64>>;
    /// Conversations in which the member has unread messages, with their number.
    async fn unread(&self, member: &UserId) -> StoreResult<Vec<(ConversationId, u64)>>;
}

/// What was written.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Gives the draft the next `seq`, stores it, and makes it its conversation's last message. A draft
    /// whose (sender, clientMessageId) or AutoMessage id was stored before changes nothing.
    async fn append(&self, draft: &Draft) -> StoreResult<Appended>;
    /// Those of `ids` that exist, in no order.
    async fn by_ids(&self, ids: &[MessageId]) -> StoreResult<Vec<Message>>;
    /// Messages of a conversation by `seq`, oldest first; of `Latest` and `Before` the newest `limit`.
    async fn page(
        &self,
        conversation: &ConversationId,
        span: SeqRange,
        limit: u32,
    ) -> StoreResult<Vec<Message>>;
    /// Replaces the content of a message that is not deleted; also where it is the last message.
    async fn edit(&self, id: &MessageId, content: &str, at: Time) -> StoreResult<Option<Message>>;
    /// Empties a message; the first `deleted_at` stays. Also where it is the last message.
    async fn delete(&self, id: &MessageId, at: Time) -> StoreResult<Option<Message>>;
}

/// A search, already folded into terms by [`crate::search`].
#[derive(Debug, Clone)]
pub struct SearchQuery {
    /// Whose conversations are searched. Never anybody else's.
    pub member: UserId,
    /// Folded words; every one must begin some word of the message.
    pub terms: Vec<String>,
    /// Only in this conversation.
    pub conversation: Option<ConversationId>,
    /// The cursor that the last hit carried.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// A message that was found, newest first by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchHit {
    /// Which; the message itself is read from [`Messages`], which knows the truth.
    pub message: MessageId,
    /// Where a search goes on after this hit.
    pub cursor: String,
}

/// Finds messages by words.
#[async_trait]
pub trait SearchIndex: Send + Sync {
    /// Hits in the member's own conversations, deleted messages left out.
    async fn search(&self, query: &SearchQuery) -> StoreResult<Vec<SearchHit>>;
}

/// A message as a search index takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchDocument {
    /// What it says now.
    pub message: Message,
    /// Who may find it.
    pub members: Vec<UserId>,
    /// Grows with every change of the message, whatever the clocks say.
    pub revision: u64,
}

/// Keeps a search index that is not the document store itself.
#[async_trait]
pub trait SearchIndexWriter: Send + Sync {
    /// Makes the index if it is not there. Repeating is harmless and cheap.
    async fn prepare(&self) -> StoreResult<()>;
    /// Puts the messages into the index; a deleted one is taken out. Repeating is harmless, and what is late
    /// never overwrites a higher revision. [`Corrupt`](crate::error::StoreError::Corrupt) when the index
    /// understood and refused one of them: the others may be in or not.
    async fn index(&self, messages: &[SearchDocument]) -> StoreResult<()>;
}

/// What a search index beside the document store does not hold yet. Every message waits from its first moment
/// and again from every change, whether there is an index or not.
#[async_trait]
pub trait IndexBacklog: Send + Sync {
    /// Messages that wait at `now`, at most `limit`; those that wait longest come first.
    async fn waiting(&self, now: Time, limit: u32) -> StoreResult<Vec<MessageId>>;
    /// Somebody sees to those of `ids` that wait at `now`: they do not wait until `until`, unless they change
    /// before. What changed after `now` keeps waiting.
    async fn hide_until(&self, ids: &[MessageId], now: Time, until: Time) -> StoreResult<()>;
    /// Those of `ids` that exist, in no order.
    async fn documents(&self, ids: &[MessageId]) -> StoreResult<Vec<SearchDocument>>;
    /// The index holds these revisions. What has changed since keeps waiting.
    async fn mark_indexed(&self, done: &[(MessageId, u64)]) -> StoreResult<()>;
    /// All messages by id, after `after`.
    async fn all(&self, after: Option<&MessageId>, limit: u32) -> StoreResult<Vec<MessageId>>;
    /// About how many messages there are, to say how far a walk over all of them is.
    async fn total(&self) -> StoreResult<u64>;
}

/// What is planned.
#[async_trait]
pub trait AutoMessages: Send + Sync {
    /// Stores the rows of which neither person has a part in the day yet, as sender or as receiver; how many
    /// were new. It holds for any number of calls at once: nobody ever has two parts in a day.
    async fn plan(&self, rows: &[AutoMessage]) -> StoreResult<u64>;
    /// Users that already take part (as sender or receiver) in the day's plan, of those given.
    async fn planned_users(&self, day: &str, users: &[UserId]) -> StoreResult<Vec<UserId>>;
    /// Takes up to `limit` rows due at `now`, unqueued and not under another's lease, oldest first, under
    /// a lease until `lease_until`; counts the attempt.
    async fn claim(&self, now: Time, lease_until: Time, limit: u32) -> StoreResult<Vec<AutoMessage>>;
    /// The broker has them.
    async fn mark_queued(&self, ids: &[AutoMessageId]) -> StoreResult<()>;
    /// The row, if it was planned here.
    async fn get(&self, id: &AutoMessageId) -> StoreResult<Option<AutoMessage>>;
    /// The message exists and was announced.
    async fn mark_sent(&self, id: &AutoMessageId) -> StoreResult<()>;
    /// Rows due at `now` that are not queued yet.
    async fn backlog(&self, now: Time) -> StoreResult<u64>;
}
