//! What only an index that is fed can get wrong: order, repetition, batches, and being lost.

use shared::message::Message;
use shared::ports::{Probe, SearchIndex, SearchIndexWriter};

use crate::world::{World, after, message, query, row};

#[tokio::test]
async fn what_is_late_never_overwrites_what_is_newer() {
    let Some(world) = World::new().await else { return };
    let first = message("m", "first");
    let edited = Message { content: "second".to_owned(), edited_at: after(0), ..first.clone() };
    let deleted = Message { content: String::new(), deleted_at: after(0), ..edited.clone() };
    // In every order, and whatever the times say; what counts is what came last in the message's life.
    let life = [&first, &edited, &deleted];
    for (turn, (order, finds)) in (0..).zip([
        ([1, 2, 1], Some("second")),
        ([2, 1, 2], Some("second")),
        ([2, 3, 2], None),
        ([3, 1, 2], None),
    ]) {
        for revision in order {
            world.index(&[(life[revision - 1], 10 * turn + revision as u64)]).await;
        }
        world.refreshed().await;
        for word in ["first", "second"] {
            let expected: &[&str] = if finds == Some(word) { &["m"] } else { &[] };
            assert_eq!(world.hits("a", word).await, expected, "{word} {finds:?}");
        }
    }
}

#[tokio::test]
async fn within_one_batch_the_newest_wins_too() {
    let Some(world) = World::new().await else { return };
    let first = message("m", "first");
    let edited = Message { content: "second".to_owned(), edited_at: after(5), ..first.clone() };
    world.index(&[(&edited, 2), (&first, 1)]).await;
    world.refreshed().await;
    assert_eq!(world.hits("a", "second").await, ["m"]);
    assert!(world.hits("a", "first").await.is_empty());
}

#[tokio::test]
async fn the_same_version_may_bring_other_members() {
    let Some(world) = World::new().await else { return };
    let said = message("m", "word");
    world.index(&[(&said, 1)]).await;
    world.search.index(&[row(&said, &["b", "c"], 1)]).await.unwrap();
    world.refreshed().await;
    assert!(world.hits("a", "word").await.is_empty());
    assert_eq!(world.hits("c", "word").await, ["m"]);
}

#[tokio::test]
async fn many_messages_go_in_as_several_batches() {
    let Some(world) = World::new().await else { return };
    let long = "uzun ".repeat(800);
    let rows: Vec<_> = (0..1_100)
        .map(|n| row(&message(&format!("m{n:04}"), &format!("{long} no{n}x")), &["a"], 1))
        .collect();
    world.search.index(&rows).await.unwrap();
    world.search.index(&[]).await.unwrap();
    world.refreshed().await;
    for n in [0, 499, 500, 1_099] {
        assert_eq!(world.hits("a", &format!("no{n}x")).await, [format!("m{n:04}")]);
    }
    assert_eq!(world.hits("a", "uzun").await.len(), 100);
}

#[tokio::test]
async fn a_word_is_one_word_however_long() {
    let Some(world) = World::new().await else { return };
    let word = format!("{}tail", "ab".repeat(300));
    world.index(&[(&message("m", &word), 1)]).await;
    world.refreshed().await;
    for (text, found) in [(word.as_str(), true), (&word[..256], true), (&word[..1], true), ("tail", false)] {
        assert_eq!(world.hits("a", text).await.len(), usize::from(found), "{text}");
    }
}

#[tokio::test]
async fn setting_up_is_harmless_at_any_time_and_by_many() {
    let Some(world) = World::bare() else { return };
    let all = futures::future::join_all((0..4).map(|_| world.search.setup())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    world.index(&[(&message("m", "stays"), 1)]).await;
    world.search.setup().await.unwrap();
    world.refreshed().await;
    assert_eq!(world.hits("a", "stays").await, ["m"]);
}

#[tokio::test]
async fn a_lost_index_is_told_and_made_again_by_the_next_message() {
    let Some(world) = World::bare() else { return };
    for _ in 0..2 {
        assert_eq!(world.search.check().await.unwrap_err().store, "elasticsearch");
        world.search.search(&query("a", "word")).await.unwrap_err();
        world.index(&[(&message("m", "word"), 1)]).await;
        world.search.check().await.unwrap();
        world.refreshed().await;
        // With the right mapping: a guessed one would find no prefix of a member's words.
        assert_eq!(world.hits("a", "wo").await, ["m"]);
        world.search.remove().await.unwrap();
        world.search.remove().await.unwrap();
    }
}
