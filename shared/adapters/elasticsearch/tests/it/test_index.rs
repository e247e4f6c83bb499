//! An index of its own for each test, on the server of `ELASTICSEARCH_URL`, removed when the test ends; and
//! messages to index.

use std::sync::Arc;
use std::time::Duration;

use adapter_elasticsearch::{Config, Search};
use shared::id::{ConversationId, Entropy, MessageId, UserId};
use shared::message::{Message, MessageKind};
use shared::ports::{SearchDocument, SearchIndex, SearchIndexWriter, SearchQuery};
use shared::search::terms;
use shared::time::Time;
use test_support::scripted_server::ScriptedServer;
use test_support::server_url;

/// The time of every test.
pub(crate) const NOW: Time = Time::from_millis(1_700_000_000_000);

/// Longer than the server may take to make indexed messages visible to searches.
const REFRESH_LIMIT: Duration = Duration::from_secs(10);

/// The adapter with its own index.
pub(crate) struct TestIndex {
    pub(crate) search: Arc<Search>,
    config: Config,
}

impl TestIndex {
    /// Creates the index. Prints a notice and returns `None` when no server is configured.
    pub(crate) async fn new() -> Option<Self> {
        let index = Self::missing()?;
        index.search.setup().await.unwrap();
        Some(index)
    }

    /// Like `new`, but does not create the index.
    pub(crate) fn missing() -> Option<Self> {
        let url = server_url("ELASTICSEARCH_URL")?;
        let index = format!("test-{:x}", Entropy::default().bits());
        let config = Config::new(&url, &index).unwrap();
        Some(Self { search: Arc::new(Search::new(config.clone())), config })
    }

    /// Indexes messages with their revisions; their members are `a` and `b`.
    pub(crate) async fn put(&self, messages: &[(&Message, u64)]) {
        let documents: Vec<_> =
            messages.iter().map(|(message, revision)| document(message, &["a", "b"], *revision)).collect();
        self.search.index(&documents).await.unwrap();
    }

    /// The ids of the messages that a search by `member` finds.
    pub(crate) async fn hits(&self, member: &str, text: &str) -> Vec<String> {
        let hits = self.search.search(&query(member, text)).await.unwrap();
        hits.into_iter().map(|hit| hit.message.to_string()).collect()
    }

    /// Waits until searches see everything that was indexed before.
    pub(crate) async fn refresh(&self) {
        let id = format!("marker-{:x}", Entropy::default().bits());
        let marker = Message { id: MessageId::trusted(&id), ..message("marker", "marker") };
        self.search.index(&[document(&marker, &["marker"], 1)]).await.unwrap();
        let mut waited = Duration::ZERO;
        while !self.hits("marker", "marker").await.contains(&id) {
            assert!(waited < REFRESH_LIMIT, "the marker is not found after {waited:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
            waited += Duration::from_millis(50);
        }
    }
}

impl Drop for TestIndex {
    fn drop(&mut self) {
        // The test's runtime may be shutting down, so the request runs on a runtime of its own.
        let search = Search::new(self.config.clone());
        let removed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(search.remove())
        });
        if !std::thread::panicking() {
            removed.join().unwrap().unwrap();
        }
    }
}

/// A query for the first hundred hits.
pub(crate) fn query(member: &str, text: &str) -> SearchQuery {
    SearchQuery {
        member: UserId::trusted(member),
        terms: terms(text),
        conversation: None,
        after: None,
        limit: 100,
    }
}

pub(crate) fn document(message: &Message, members: &[&str], revision: u64) -> SearchDocument {
    let members = members.iter().map(|id| UserId::trusted(*id)).collect();
    SearchDocument { message: message.clone(), members, revision }
}

/// A text message created at [`NOW`].
pub(crate) fn message(id: &str, content: &str) -> Message {
    Message {
        id: MessageId::trusted(id),
        conversation_id: ConversationId::trusted("c"),
        seq: 1,
        sender_id: UserId::trusted("a"),
        content: content.to_owned(),
        kind: MessageKind::Text,
        client_message_id: None,
        auto_message_id: None,
        created_at: NOW,
        edited_at: None,
        deleted_at: None,
    }
}

/// The time `millis` milliseconds after [`NOW`].
pub(crate) fn after(millis: u64) -> Option<Time> {
    Some(NOW + Duration::from_millis(millis))
}

/// The adapter on a scripted server, with a user and a password.
pub(crate) fn search_on(server: &ScriptedServer) -> Search {
    let url = format!("http://ada:secret@{}/es/", server.address);
    Search::new(Config::new(&url, "messages").unwrap())
}
