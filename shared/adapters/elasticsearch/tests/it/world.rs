//! A test's own index on the real server, gone again when the test ends; and messages to put into it.

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

/// When the tests play.
pub(crate) const NOW: Time = Time::from_millis(1_700_000_000_000);

/// Longer than an index may take to show what it was given.
const REFRESH: Duration = Duration::from_secs(10);

/// The adapter on an index that nobody else uses.
pub(crate) struct World {
    pub(crate) search: Arc<Search>,
    config: Config,
}

impl World {
    /// With its index made; `None`, loudly, when no server is configured.
    pub(crate) async fn new() -> Option<Self> {
        let world = Self::bare()?;
        world.search.setup().await.unwrap();
        Some(world)
    }

    /// Without an index.
    pub(crate) fn bare() -> Option<Self> {
        let url = server_url("ELASTICSEARCH_URL")?;
        let index = format!("test-{:x}", Entropy::default().bits());
        let config = Config::new(&url, &index).unwrap();
        Some(Self { search: Arc::new(Search::new(config.clone())), config })
    }

    /// Puts messages in, each with its revision, for `a` and `b`.
    pub(crate) async fn index(&self, messages: &[(&Message, u64)]) {
        let rows: Vec<_> =
            messages.iter().map(|(message, revision)| row(message, &["a", "b"], *revision)).collect();
        self.search.index(&rows).await.unwrap();
    }

    /// What `member` finds.
    pub(crate) async fn hits(&self, member: &str, text: &str) -> Vec<String> {
        let hits = self.search.search(&query(member, text)).await.unwrap();
        hits.into_iter().map(|hit| hit.message.to_string()).collect()
    }

    /// Until everything that was put in before can be found, or is out.
    pub(crate) async fn refreshed(&self) {
        let id = format!("marker-{:x}", Entropy::default().bits());
        let marker = Message { id: MessageId::trusted(&id), ..message("marker", "marker") };
        self.search.index(&[row(&marker, &["marker"], 1)]).await.unwrap();
        let mut waited = Duration::ZERO;
        while !self.hits("marker", "marker").await.contains(&id) {
            assert!(waited < REFRESH, "the index shows nothing");
            tokio::time::sleep(Duration::from_millis(50)).await;
            waited += Duration::from_millis(50);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The test's own runtime may be ending; a connection must not outlive it.
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

/// The adapter on a scripted server, as a user with a password.
pub(crate) fn search_on(server: &ScriptedServer) -> Search {
    let url = format!("http://ada:secret@{}/es/", server.address);
    Search::new(Config::new(&url, "messages").unwrap())
}

/// A search for the first hundred.
pub(crate) fn query(member: &str, text: &str) -> SearchQuery {
    SearchQuery {
        member: UserId::trusted(member),
        terms: terms(text),
        conversation: None,
        after: None,
        limit: 100,
    }
}

/// A message as the index takes it.
pub(crate) fn row(message: &Message, members: &[&str], revision: u64) -> SearchDocument {
    let members = members.iter().map(|id| UserId::trusted(*id)).collect();
    SearchDocument { message: message.clone(), members, revision }
}

/// A message of [`NOW`].
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

/// So many milliseconds after [`NOW`].
pub(crate) fn after(millis: u64) -> Option<Time> {
    Some(NOW + Duration::from_millis(millis))
}
