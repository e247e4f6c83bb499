//! Who takes part in a conversation: from the cache, and from the documents where the cache knows nothing.

use shared::conversation::{Circle, Circles};
use shared::error::Error;
use shared::id::{ConversationId, UserId};
use shared::ports::{Cache as _, Conversations};

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
    let circles = Circles { conversations: &bench.store, cache };

    assert!(is_a_stranger(&circles.of(&conversation, &id(&eve)).await));
    assert_eq!(cache.circle(&conversation).await.unwrap(), None, "a stranger teaches the cache nothing");
    let found = circles.of(&conversation, &id(&ada)).await.unwrap();
    assert_eq!(cache.circle(&conversation).await.unwrap().as_ref(), Some(&found));

    let circles = Circles { conversations: &empty.store as &dyn Conversations, cache };
    assert_eq!(circles.of(&conversation, &id(&bob)).await.unwrap(), found);
    assert!(is_a_stranger(&circles.of(&conversation, &id(&eve)).await), "nor does the cache let them in");
}

#[tokio::test]
async fn a_cache_out_of_reach_changes_no_answer() {
    let bench = Bench::new();
    let Scene { ada, bob, eve, conversation, .. } = Scene::of(&bench).await;
    let conversation = ConversationId::trusted(conversation);
    let circles = Circles { conversations: &bench.store, cache: &Cut };
    let mut members = vec![id(&ada), id(&bob)];
    members.sort();
    let expected = Circle { id: conversation.clone(), members };
    assert_eq!(circles.of(&conversation, &id(&ada)).await.unwrap(), expected);
    assert!(is_a_stranger(&circles.of(&conversation, &id(&eve)).await));
}
