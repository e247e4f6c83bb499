//! Indexing on a real server: order, repetition, batches, and a lost index.

use shared::message::Message;
use shared::ports::{Probe, SearchIndex, SearchIndexWriter};

use crate::test_index::{TestIndex, after, document, message, query};

#[tokio::test]
async fn an_older_revision_never_overwrites_a_newer_one_when_writes_arrive_out_of_order() {
    let Some(index) = TestIndex::new().await else { return };
    let first = message("m", "first");
    let edited = Message { content: "second".to_owned(), edited_at: after(0), ..first.clone() };
    let deleted = Message { content: String::new(), deleted_at: after(0), ..edited.clone() };
    // The revision decides, whatever the order of arrival and the timestamps.
    let revisions = [&first, &edited, &deleted];
    for (turn, (order, finds)) in (0..).zip([
        ([1, 2, 1], Some("second")),
        ([2, 1, 2], Some("second")),
        ([2, 3, 2], None),
        ([3, 1, 2], None),
    ]) {
        for revision in order {
            index.put(&[(revisions[revision - 1], 10 * turn + revision as u64)]).await;
        }
        index.refresh().await;
        for word in ["first", "second"] {
            let expected: &[&str] = if finds == Some(word) { &["m"] } else { &[] };
            assert_eq!(index.hits("a", word).await, expected, "{word} {finds:?}");
        }
    }
}

#[tokio::test]
async fn the_newest_revision_wins_when_one_batch_contains_several() {
    let Some(index) = TestIndex::new().await else { return };
    let first = message("m", "first");
    let edited = Message { content: "second".to_owned(), edited_at: after(5), ..first.clone() };
    index.put(&[(&edited, 2), (&first, 1)]).await;
    index.refresh().await;
    assert_eq!(index.hits("a", "second").await, ["m"]);
    assert!(index.hits("a", "first").await.is_empty());
}

#[tokio::test]
async fn the_members_change_when_the_same_revision_is_written_again() {
    let Some(index) = TestIndex::new().await else { return };
    let sent = message("m", "word");
    index.put(&[(&sent, 1)]).await;
    index.search.index(&[document(&sent, &["b", "c"], 1)]).await.unwrap();
    index.refresh().await;
    assert!(index.hits("a", "word").await.is_empty());
    assert_eq!(index.hits("c", "word").await, ["m"]);
}

#[tokio::test]
async fn all_messages_are_indexed_when_they_fill_several_batches() {
    let Some(index) = TestIndex::new().await else { return };
    let long = "uzun ".repeat(800);
    let documents: Vec<_> = (0..1_100)
        .map(|n| document(&message(&format!("m{n:04}"), &format!("{long} no{n}x")), &["a"], 1))
        .collect();
    index.search.index(&documents).await.unwrap();
    index.search.index(&[]).await.unwrap();
    index.refresh().await;
    for n in [0, 499, 500, 1_099] {
        assert_eq!(index.hits("a", &format!("no{n}x")).await, [format!("m{n:04}")]);
    }
    assert_eq!(index.hits("a", "uzun").await.len(), 100);
}

#[tokio::test]
async fn a_long_word_is_found_by_its_prefixes_only() {
    let Some(index) = TestIndex::new().await else { return };
    let word = format!("{}tail", "ab".repeat(300));
    index.put(&[(&message("m", &word), 1)]).await;
    index.refresh().await;
    for (text, found) in [(word.as_str(), true), (&word[..256], true), (&word[..1], true), ("tail", false)] {
        assert_eq!(index.hits("a", text).await.len(), usize::from(found), "{text}");
    }
}

#[tokio::test]
async fn setup_keeps_the_index_when_it_is_repeated_or_concurrent() {
    let Some(index) = TestIndex::missing() else { return };
    let all = futures::future::join_all((0..4).map(|_| index.search.setup())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    index.put(&[(&message("m", "stays"), 1)]).await;
    index.search.setup().await.unwrap();
    index.refresh().await;
    assert_eq!(index.hits("a", "stays").await, ["m"]);
}

#[tokio::test]
async fn a_lost_index_is_reported_and_created_again_when_the_next_message_is_indexed() {
    let Some(index) = TestIndex::missing() else { return };
    for _ in 0..2 {
        assert_eq!(index.search.check().await.unwrap_err().store, "elasticsearch");
        index.search.search(&query("a", "word")).await.unwrap_err();
        index.put(&[(&message("m", "word"), 1)]).await;
        index.search.check().await.unwrap();
        index.refresh().await;
        // With the adapter's mapping: the one that the server would guess does not find prefixes.
        assert_eq!(index.hits("a", "wo").await, ["m"]);
        index.search.remove().await.unwrap();
        index.search.remove().await.unwrap();
    }
}
