//! A database per test, dropped also when the test fails, and builders of test data.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use adapter_mongodb::{Config, Mongo};
use shared::conversation::{Conversation, ConversationKind};
use shared::id::{ConversationId, Entropy, MessageId, UserId};
use shared::message::{Content, Draft, MessageKind};
use shared::time::Time;
use shared::user::{Email, PasswordHash, User, Username};
use test_support::server_url;

/// The time of everything that a test does not date otherwise.
pub(crate) const NOW: Time = Time::from_millis(1_700_000_000_000);

/// The server under test; without one, reports the test as skipped and returns `None`.
pub(crate) fn uri() -> Option<String> {
    server_url("MONGODB_URI")
}

/// A database name that no other test and no other run uses.
pub(crate) fn database() -> String {
    format!("ulak_test_{}", Entropy::default().id(NOW))
}

/// Runs a test in its own database, and drops the database afterwards.
pub(crate) async fn with_mongo<F>(test: impl FnOnce(Arc<Mongo>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let Some(uri) = uri() else { return };
    let config = Config::new(uri, Some(&database())).deadline(Duration::from_secs(5)).pool(32);
    let mongo = Arc::new(Mongo::connect(&config).await.unwrap());
    let outcome = tokio::spawn(test(mongo.clone())).await;
    mongo.drop_database().await.unwrap();
    if let Err(failed) = outcome {
        std::panic::resume_unwind(failed.into_panic());
    }
}

/// The text of an id that sorts after every earlier one.
pub(crate) fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let millis = NOW.millis() + i64::try_from(NEXT.fetch_add(1, Ordering::Relaxed)).unwrap();
    Entropy::default().id(Time::from_millis(millis))
}

pub(crate) fn user(name: &str) -> User {
    User {
        id: UserId::trusted(name.to_lowercase()),
        username: Username::parse(name).unwrap(),
        email: Email::parse(&format!("{name}@example.com")).unwrap(),
        display_name: format!("{name} Çelik"),
        password_hash: PasswordHash("$argon2id$".to_owned()),
        created_at: NOW,
        last_seen_at: NOW,
        deactivated_at: None,
    }
}

pub(crate) fn group(members: &[&str]) -> Conversation {
    let members = members.iter().map(|m| UserId::trusted(*m)).collect();
    Conversation::of(ConversationId::trusted(fresh()), ConversationKind::Group, None, members, NOW)
}

pub(crate) fn draft(conversation: &Conversation, sender: &str, content: &str, key: Option<&str>) -> Draft {
    Draft {
        id: MessageId::trusted(fresh()),
        conversation_id: conversation.id.clone(),
        sender_id: UserId::trusted(sender),
        content: Content::parse(content).unwrap(),
        kind: MessageKind::Text,
        client_message_id: key.map(str::to_owned),
        auto_message_id: None,
        created_at: NOW,
    }
}
