//! Who takes part in a conversation: from the cache, and from the documents where the cache knows nothing.

use shared::chat::MemberLookup;
use shared::conversation::Members;
use shared::error::Error;
use shared::id::{ConversationId, UserId};
use shared::ports::{Conversations, MemberCache as _};

use super::bench::{Bench, Cut};
use super::scene::{Known, Scene};

fn id(who: &Known) -> UserId {
    UserId::trusted(who.id.as_str())
}

fn is_a_stranger<T>(found: &Result<T, Error>) -> bool {
    matches!(found, Err(Error::NotFound("the conversation")))
}

#[tokio::test]
async fn what_was_found_once_is_not_asked_again() {
    let (bench, empty) = (Bench::new(), Bench::new());
    let Scene { ada, bob, eve, conversation, .. } = Scene::of(&bench).await;
    let conversation = ConversationId::trusted(conversation);
    let cache = &empty.store;
    let lookup = MemberLookup { conversations: &bench.store, cache };

    assert!(is_a_stranger(&lookup.get(&conversation, &id(&eve)).await));
    assert_eq!(cache.get(&conversation).await.unwrap(), None, "a stranger teaches the cache nothing");
    let found = lookup.get(&conversation, &id(&ada)).await.unwrap();
    assert_eq!(cache.get(&conversation).await.unwrap().as_ref(), Some(&found));

    let lookup = MemberLookup { conversations: &empty.store as &dyn Conversations, cache };
    assert_eq!(lookup.get(&conversation, &id(&bob)).await.unwrap(), found);
    assert!(is_a_stranger(&lookup.get(&conversation, &id(&eve)).await), "nor does the cache let them in");
}

#[tokio::test]
async fn a_cache_out_of_reach_changes_no_answer() {
    let bench = Bench::new();
    let Scene { ada, bob, eve, conversation, .. } = Scene::of(&bench).await;
    let conversation = ConversationId::trusted(conversation);
    let lookup = MemberLookup { conversations: &bench.store, cache: &Cut };
    let mut members = vec![id(&ada), id(&bob)];
    members.sort();
    let expected = Members { conversation_id: conversation.clone(), user_ids: members };
    assert_eq!(lookup.get(&conversation, &id(&ada)).await.unwrap(), expected);
    assert!(is_a_stranger(&lookup.get(&conversation, &id(&eve)).await));
}
