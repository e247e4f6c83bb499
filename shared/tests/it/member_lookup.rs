//! `MemberLookup`: the cache answers first, then the documents.

use shared::chat::MemberLookup;
use shared::conversation::Members;
use shared::error::Error;
use shared::id::ConversationId;
use shared::ports::MemberCache as _;
use test_support::fixture::{FunctionFixture, Scenario, UnreachableStore};

fn is_not_found<T>(found: &Result<T, Error>) -> bool {
    matches!(found, Err(Error::NotFound("the conversation")))
}

#[tokio::test]
async fn members_are_read_from_the_documents_once_and_then_from_the_cache() {
    let (documents, empty) = (FunctionFixture::new(), FunctionFixture::new());
    let Scenario { ada, bob, eve, conversation, .. } = Scenario::new(&documents).await;
    let id = ConversationId::trusted(conversation);
    let cache = &empty.store;
    let lookup = MemberLookup { conversations: &documents.store, cache };

    assert!(is_not_found(&lookup.get(&id, &eve.user_id()).await));
    assert_eq!(cache.get(&id).await.unwrap(), None, "a refused lookup caches nothing");
    let found = lookup.get(&id, &ada.user_id()).await.unwrap();
    assert_eq!(cache.get(&id).await.unwrap().as_ref(), Some(&found));

    let lookup = MemberLookup { conversations: &empty.store, cache };
    assert_eq!(lookup.get(&id, &bob.user_id()).await.unwrap(), found);
    assert!(is_not_found(&lookup.get(&id, &eve.user_id()).await), "the cache admits only members");
}

#[tokio::test]
async fn unreachable_cache_changes_no_answer() {
    let documents = FunctionFixture::new();
    let Scenario { ada, bob, eve, conversation, .. } = Scenario::new(&documents).await;
    let id = ConversationId::trusted(conversation);
    let lookup = MemberLookup { conversations: &documents.store, cache: &UnreachableStore };
    let mut user_ids = vec![ada.user_id(), bob.user_id()];
    user_ids.sort();
    let expected = Members { conversation_id: id.clone(), user_ids };
    assert_eq!(lookup.get(&id, &ada.user_id()).await.unwrap(), expected);
    assert!(is_not_found(&lookup.get(&id, &eve.user_id()).await));
}
