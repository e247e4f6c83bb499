//! The append protocol under concurrency: many writers, repeated keys, and writers that died half-way.

use std::collections::BTreeSet;
use std::sync::Arc;

use adapter_mongodb::Mongo;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use shared::conversation::Conversation;
use shared::id::UserId;
use shared::message::{Appended, Message, SeqRange};
use shared::ports::{Conversations, Messages};

use crate::test_database::{NOW, database, draft, group, uri, with_mongo};

const WRITERS: usize = 24;

/// Appends [`WRITERS`] messages at the same time, all under the same `key` if there is one.
async fn append_concurrently(mongo: &Arc<Mongo>, room: &Conversation, key: Option<&str>) -> Vec<Appended> {
    let write = |n: usize| {
        let (mongo, draft) = (mongo.clone(), draft(room, "ada", &format!("message {n}"), key));
        tokio::spawn(async move { mongo.append(&draft).await.unwrap() })
    };
    let writers: Vec<_> = (0..WRITERS).map(write).collect();
    futures::future::try_join_all(writers).await.unwrap()
}

/// `lastSeq` and the last message, as bob sees them.
async fn last(mongo: &Mongo, room: &Conversation) -> (u64, Message) {
    let listed = mongo.for_member(&room.id, &UserId::trusted("bob")).await.unwrap().unwrap();
    (listed.conversation.last_seq, listed.conversation.last_message.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_get_consecutive_seqs_and_the_highest_is_the_last_message() {
    with_mongo(|mongo| async move {
        let room = group(&["ada", "bob"]);
        mongo.insert_group(&room).await.unwrap();
        let outcomes = append_concurrently(&mongo, &room, None).await;
        let seqs: BTreeSet<u64> = outcomes
            .iter()
            .map(|a| match a {
                Appended::Created(message) => message.seq,
                Appended::Duplicate(message) => panic!("no key is repeated: {message:?}"),
            })
            .collect();
        assert_eq!(seqs, (1..=WRITERS as u64).collect());
        let page = mongo.page(&room.id, SeqRange::Latest, 100).await.unwrap();
        assert!(page.iter().map(|m| m.seq).eq(1..=WRITERS as u64));
        let (last_seq, last_message) = last(&mongo, &room).await;
        assert_eq!((last_seq, Some(&last_message)), (WRITERS as u64, page.last()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_under_one_key_store_one_message() {
    with_mongo(|mongo| async move {
        let room = group(&["ada", "bob"]);
        mongo.insert_group(&room).await.unwrap();
        let outcomes = append_concurrently(&mongo, &room, Some("once")).await;
        let created = outcomes.iter().filter(|a| matches!(a, Appended::Created(_))).count();
        let ids: BTreeSet<_> =
            outcomes.iter().map(|(Appended::Created(m) | Appended::Duplicate(m))| m.id.clone()).collect();
        assert_eq!((created, ids.len()), (1, 1));
        let Appended::Created(next) =
            mongo.append(&draft(&room, "ada", "next", Some("twice"))).await.unwrap()
        else {
            panic!("a new key stores a new message")
        };
        let (last_seq, last_message) = last(&mongo, &room).await;
        assert_eq!((last_seq, &last_message), (next.seq, &next));
        assert_eq!(mongo.page(&room.id, SeqRange::Latest, 100).await.unwrap().len(), 2);
    })
    .await;
}

/// A page read while others write never has a gap that is filled later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_have_no_gaps_while_messages_are_appended() {
    with_mongo(|mongo| async move {
        let room = group(&["ada", "bob"]);
        mongo.insert_group(&room).await.unwrap();
        let writing = tokio::spawn({
            let (mongo, room) = (mongo.clone(), room.clone());
            async move { append_concurrently(&mongo, &room, None).await }
        });
        while !writing.is_finished() {
            let page = mongo.page(&room.id, SeqRange::After(0), 100).await.unwrap();
            assert!(page.iter().map(|m| m.seq).eq(1..=page.len() as u64), "{page:?}");
        }
        writing.await.unwrap();
    })
    .await;
}

/// A database with a group in which a writer died before it settled its append, and direct access to it.
struct HalfAppended {
    mongo: Mongo,
    raw: mongodb::Database,
    room: Conversation,
}

/// `died_after` is the last step that the writer completed; its message has the seq 2.
async fn half_appended(died_after: usize, key: &str) -> Option<HalfAppended> {
    let client = Client::with_uri_str(uri()?).await.unwrap();
    let name = database();
    let mongo = Mongo::over(&client, &name, std::time::Duration::from_secs(5));
    let raw = client.database(&name);
    let room = group(&["ada", "bob"]);
    mongo.insert_group(&room).await.unwrap();
    mongo.append(&draft(&room, "ada", "first", None)).await.unwrap();
    let lost = doc! {
        "_id": "lost", "conversationId": room.id.as_str(), "seq": 2_i64, "senderId": "ada", "content": "lost",
        "kind": "text", "clientMessageId": key, "createdAt": mongodb::bson::DateTime::from_millis(NOW.millis()),
    };
    let issue = doc! { "$inc": { "issuedSeq": 1_i64 }, "$push": { "pending": &lost } };
    let conversations = raw.collection::<Document>("conversations");
    conversations.update_one(doc! { "_id": room.id.as_str() }, issue).await.unwrap();
    if died_after == 2 {
        raw.collection::<Document>("messages").insert_one(lost).await.unwrap();
    }
    Some(HalfAppended { mongo, raw, room })
}

#[tokio::test]
async fn next_append_completes_the_append_of_a_dead_writer() {
    for died_after in [1, 2] {
        let Some(HalfAppended { mongo, raw, room }) = half_appended(died_after, "k").await else { return };
        assert_eq!(last(&mongo, &room).await.0, 1, "lastSeq moves only when an append is settled");
        let next = mongo.append(&draft(&room, "bob", "next", None)).await.unwrap();
        assert!(matches!(next, Appended::Created(Message { seq: 3, .. })), "{next:?}");
        let page = mongo.page(&room.id, SeqRange::Latest, 10).await.unwrap();
        let contents: Vec<_> = page.iter().map(|m| (m.seq, m.content.as_str())).collect();
        assert_eq!(contents, [(1, "first"), (2, "lost"), (3, "next")], "died after step {died_after}");
        let stored = raw.collection::<Document>("conversations").find_one(doc! {}).await.unwrap().unwrap();
        assert!(stored.get_array("pending").unwrap().is_empty(), "{stored}");
        mongo.drop_database().await.unwrap();
    }
}

#[tokio::test]
async fn retry_of_a_dead_writer_returns_its_first_message() {
    for died_after in [1, 2] {
        let Some(HalfAppended { mongo, room, .. }) = half_appended(died_after, "k").await else { return };
        let retry = mongo.append(&draft(&room, "ada", "lost", Some("k"))).await.unwrap();
        assert!(matches!(&retry, Appended::Duplicate(m) if m.seq == 2), "{retry:?}");
        let (last_seq, last_message) = last(&mongo, &room).await;
        assert_eq!((last_seq, last_message.content.as_str()), (2, "lost"), "died after step {died_after}");
        mongo.drop_database().await.unwrap();
    }
}

#[tokio::test]
async fn pending_message_stays_unread_when_everything_is_marked_read() {
    let Some(HalfAppended { mongo, room, .. }) = half_appended(1, "k").await else { return };
    let bob = UserId::trusted("bob");
    assert_eq!(mongo.mark_read(&room.id, &bob, u64::MAX).await.unwrap(), Some(1));
    mongo.append(&draft(&room, "ada", "next", None)).await.unwrap();
    assert_eq!(mongo.unread(&bob).await.unwrap(), [(room.id.clone(), 2)]);
    mongo.drop_database().await.unwrap();
}
