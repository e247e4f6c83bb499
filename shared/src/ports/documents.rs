//! The durable documents: users, conversations, messages, automatic messages, and the search over them.
//! An acknowledged write survives a crash of the process that made it.

use async_trait::async_trait;

use crate::auto_message::AutoMessage;
use crate::conversation::{ActivityCursor, Conversation, MemberConversation};
use crate::id::{AutoMessageId, ConversationId, MessageId, UserId};
use crate::message::{Appended, Draft, Message, SeqRange};
use crate::ports::StoreResult;
use crate::time::Time;
use crate::user::{Login, User, UserChange};

/// Stores users. Usernames and e-mails are unique by their folded form ([`Username::key`], [`Email::key`]).
///
/// [`Username::key`]: crate::user::Username::key
/// [`Email::key`]: crate::user::Email::key
#[async_trait]
pub trait Users: Send + Sync {
    /// Stores a new user, or nothing: a unique field that another user has fails with
    /// [`Taken`](crate::error::StoreError::Taken), naming `username` or `email`. A repeat fails and changes nothing.
    async fn insert(&self, user: &User) -> StoreResult<()>;
    /// The users with these ids, deactivated ones too, each once and in no order.
    async fn by_ids(&self, ids: &[UserId]) -> StoreResult<Vec<User>>;
    /// The user with this folded e-mail or username, deactivated or not. An e-mail never matches a username.
    async fn by_login(&self, login: &Login) -> StoreResult<Option<User>>;
    /// Changes the fields that are `Some` and returns the user as it is afterwards; `None` if there is no such
    /// user or it is deactivated. A taken username or e-mail fails as in [`insert`](Self::insert) and changes nothing. A repeat
    /// changes nothing.
    async fn update(&self, id: &UserId, change: &UserChange) -> StoreResult<Option<User>>;
    /// Deletes the account: the user becomes [`User::deleted`], so that the names are free and the id stays. `false` for
    /// an unknown user and for a repeat, which changes nothing.
    async fn delete_account(&self, id: &UserId, now: Time) -> StoreResult<bool>;
    /// Moves `last_seen_at` forward to `at`, never back. Does nothing for an unknown user.
    async fn mark_seen(&self, id: &UserId, at: Time) -> StoreResult<()>;
    /// Users that are not deactivated, sorted by folded username, after the folded username `after`. With
    /// `search` (folded by [`crate::search::fold`], taken literally), the folded username or a word of the folded
    /// display name must begin with it.
    async fn list(&self, search: Option<&str>, after: Option<&str>, limit: u32) -> StoreResult<Vec<User>>;
    /// Ids of users that are not deactivated and were last seen at or after `since`, sorted by id.
    async fn active(&self, since: Time, after: Option<&UserId>, limit: u32) -> StoreResult<Vec<UserId>>;
}

/// Stores conversations, their members, and how far each member has read.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Stores `new`, a direct conversation, unless its pair has one already. Returns the pair's one conversation,
    /// and `true` if this call stored it. A group of the same two users is another conversation.
    async fn ensure_direct(&self, new: &Conversation) -> StoreResult<(Conversation, bool)>;
    /// Stores a new group. A repeat with the same id fails and changes nothing.
    async fn insert_group(&self, new: &Conversation) -> StoreResult<()>;
    /// The conversation, if `member` is one of its members.
    async fn for_member(
        &self,
        id: &ConversationId,
        member: &UserId,
    ) -> StoreResult<Option<MemberConversation>>;
    /// The member's conversations, sorted by `updated_at` and then by id, both descending.
    async fn list(
        &self,
        member: &UserId,
        after: Option<&ActivityCursor>,
        limit: u32,
    ) -> StoreResult<Vec<MemberConversation>>;
    /// Moves the member's `read_seq` forward to `up_to`, at most to `last_seq`, never back. Returns the value it
    /// has afterwards; `None` if there is no such conversation or member.
    async fn mark_read(&self, id: &ConversationId, member: &UserId, up_to: u64) -> StoreResult<Option<u64>>;
    /// The users who share a conversation with `member`, each once and without `member`, sorted by id.
    async fn contacts(&self, member: &UserId, after: Option<&UserId>, limit: u32)
    -> StoreResult<Vec<UserId>>;
    /// The member's conversations with unread messages, each with their number, in no order. Unread are the
    /// messages of other members after `read_seq` that are not deleted.
    async fn unread(&self, member: &UserId) -> StoreResult<Vec<(ConversationId, u64)>>;
}

/// Stores messages. Every change also shows where the message is its conversation's last one.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Stores the draft as the newest message of its conversation: gives it a `seq` of at least 1 and above all
    /// earlier ones (gaps are allowed), and moves the conversation's `last_seq`, `last_message` and `updated_at`
    /// forward to it. A message can be read only when all with a lower `seq` can be read.
    ///
    /// A draft whose (sender, `client_message_id`) or `auto_message_id` was stored before, in any conversation,
    /// stores nothing and returns that message as [`Appended::Duplicate`]; so does a repeat. A draft without
    /// either key is not safe to repeat. Fails with [`Corrupt`](crate::error::StoreError::Corrupt) when the
    /// conversation does not exist.
    async fn append(&self, draft: &Draft) -> StoreResult<Appended>;
    /// The messages with these ids, deleted ones too, each once and in no order.
    async fn by_ids(&self, ids: &[MessageId]) -> StoreResult<Vec<Message>>;
    /// Messages of a conversation, sorted by ascending `seq`: of `Latest` the newest ones, of `Before` those
    /// directly before the `seq`, of `After` those directly after it.
    async fn page(
        &self,
        conversation: &ConversationId,
        range: SeqRange,
        limit: u32,
    ) -> StoreResult<Vec<Message>>;
    /// Replaces the content and sets `edited_at`; returns the message as it is afterwards. `None` if there is no
    /// such message or it is deleted. A repeat overwrites with the same content.
    async fn edit(&self, id: &MessageId, content: &str, at: Time) -> StoreResult<Option<Message>>;
    /// Empties the content and sets `deleted_at`; the message keeps its `seq`. Returns the message as it is
    /// afterwards, `None` if there is none. Deleting it again keeps the first `deleted_at`.
    async fn delete(&self, id: &MessageId, at: Time) -> StoreResult<Option<Message>>;
}

/// A search, already folded into terms by [`crate::search`].
#[derive(Debug, Clone)]
pub struct SearchQuery {
    /// Only conversations of this user are searched.
    pub member: UserId,
    /// Folded words, taken literally. Each must begin some word of the message; without any, nothing is found.
    pub terms: Vec<String>,
    /// Restricts the search to one conversation; one that `member` is not in has no hits.
    pub conversation: Option<ConversationId>,
    /// The [`SearchHit::cursor`] after which the page begins.
    pub after: Option<String>,
    /// The most hits returned.
    pub limit: u32,
}

/// A message that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchHit {
    /// The message's id. Its content is read from [`Messages`], because the index may be behind.
    pub message: MessageId,
    /// Continues the search after this hit.
    pub cursor: String,
}

/// Finds messages by words. An index beside the document store may be behind it.
#[async_trait]
pub trait SearchIndex: Send + Sync {
    /// Hits in the member's own conversations, newest first by message id, without deleted messages.
    async fn search(&self, query: &SearchQuery) -> StoreResult<Vec<SearchHit>>;
}

/// A message as a search index stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchDocument {
    /// The message at this revision.
    pub message: Message,
    /// The members of its conversation: the users that may find it.
    pub members: Vec<UserId>,
    /// Grows with every change of the message; independent of clocks.
    pub revision: u64,
}

/// Writes a search index that is not the document store itself.
#[async_trait]
pub trait SearchIndexWriter: Send + Sync {
    /// Creates the index if it does not exist. Repeating it is cheap and changes nothing.
    async fn prepare(&self) -> StoreResult<()>;
    /// Writes the messages to the index and removes deleted ones from its results. Not atomic: after an error,
    /// some may be written and others not. A repeat changes nothing, and a lower revision never overwrites a
    /// higher one, in whatever order they arrive. Fails with [`Corrupt`](crate::error::StoreError::Corrupt) when
    /// the index rejects a message for good, so that retrying it is useless.
    async fn index(&self, messages: &[SearchDocument]) -> StoreResult<()>;
}

/// Lists the messages that a search index beside the document store lacks. A message waits from its creation and
/// again from every change until [`mark_indexed`](Self::mark_indexed), whether or not an index exists.
#[async_trait]
pub trait IndexBacklog: Send + Sync {
    /// Messages that wait at `now`, those that have waited longest first.
    async fn waiting(&self, now: Time, limit: u32) -> StoreResult<Vec<MessageId>>;
    /// Hides those of `ids` that wait at `now` until `until`; they then wait again. A message that changes before
    /// that, or that changed after `now`, waits from its change. A repeat changes nothing.
    async fn hide_until(&self, ids: &[MessageId], now: Time, until: Time) -> StoreResult<()>;
    /// The messages with these ids as the index should store them, in no order.
    async fn documents(&self, ids: &[MessageId]) -> StoreResult<Vec<SearchDocument>>;
    /// Records that the index holds these revisions, so that the messages no longer wait. A message that has a
    /// higher revision by now keeps waiting. Atomic per message; a repeat changes nothing.
    async fn mark_indexed(&self, done: &[(MessageId, u64)]) -> StoreResult<()>;
    /// All messages, waiting or not, sorted by id.
    async fn all(&self, after: Option<&MessageId>, limit: u32) -> StoreResult<Vec<MessageId>>;
    /// The number of all messages, possibly an estimate; used to show the progress of a walk over them.
    async fn total(&self) -> StoreResult<u64>;
}

/// Stores planned automatic messages and hands them out for queueing.
#[async_trait]
pub trait AutoMessages: Send + Sync {
    /// Stores each row whose sender and receiver both take part in no other row of that day, as sender or as
    /// receiver; skips the others. Returns how many it stored. No user ever takes part twice in a day, however
    /// many calls run at once. Atomic per row; a repeat stores what is missing.
    async fn plan(&self, rows: &[AutoMessage]) -> StoreResult<u64>;
    /// Those of `users` that take part in the day's plan, as sender or as receiver.
    async fn planned_users(&self, day: &str, users: &[UserId]) -> StoreResult<Vec<UserId>>;
    /// Leases rows until `lease_until` and returns them, oldest `send_date` first. Takes rows with a `send_date`
    /// at or before `now` that are not queued and not under a lease that lasts beyond `now`. A row is returned
    /// to one caller at a time, and each lease adds 1 to its `attempts`. A repeat leases other rows.
    async fn claim(&self, now: Time, lease_until: Time, limit: u32) -> StoreResult<Vec<AutoMessage>>;
    /// Marks rows as confirmed by the broker, so that they are never claimed again. Atomic per row; a repeat
    /// changes nothing.
    async fn mark_queued(&self, ids: &[AutoMessageId]) -> StoreResult<()>;
    /// The planned row with this id.
    async fn get(&self, id: &AutoMessageId) -> StoreResult<Option<AutoMessage>>;
    /// Marks a row as sent: its message is stored and was announced. Does nothing for an unknown row; a repeat
    /// changes nothing.
    async fn mark_sent(&self, id: &AutoMessageId) -> StoreResult<()>;
    /// How many rows with a `send_date` at or before `now` are not queued yet, leased or not.
    async fn backlog(&self, now: Time) -> StoreResult<u64>;
}
