//! The append protocol where it is hard: crowds, repeats in a crowd, and writers that died half-way.

use std::collections::BTreeSet;
use std::sync::Arc;

use adapter_mongodb::Mongo;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use shared::conversation::Conversation;
use shared::id::UserId;
use shared::message::{Appended, Message, SeqRange};
use shared::ports::{Conversations, Messages};

use crate::world::{NOW, database, draft, group, uri, with_mongo};

const CROWD: usize = 24;

async fn crowd(mongo: &Arc<Mongo>, room: &Conversation, key: Option<&str>) -> Vec<Appended> {
    let write = |n: usize| {
        let (mongo, draft) = (mongo.clone(), draft(room, "ada", &format!("message {n}"), key));
        tokio::spawn(async move { mongo.append(&draft).await.unwrap() })
    };
    let writers: Vec<_> = (0..CROWD).map(write).collect();
    futures::future::try_join_all(writers).await.unwrap()
}

async fn last(mongo: &Mongo, room: &Conversation) -> (u64, Message) {
    let listed = mongo.for_member(&room.id, &UserId::trusted("bob")).await.unwrap().unwrap();
    (listed.conversation.last_seq, listed.conversation.last_message.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_gets_one_place_each_and_the_last_message_is_the_highest() {
    with_mongo(|mongo| async move {
        let room = group(&["ada", "bob"]);
        mongo.insert_group(&room).await.unwrap();
        let answers = crowd(&mongo, &room, None).await;
        let seqs: BTreeSet<u64> = answers
            .iter()
            .map(|a| match a {
                Appended::Created(message) => message.seq,
                Appended::Duplicate(message) => panic!("{message:?} repeats nothing"),
            })
            .collect();
        assert_eq!(seqs, (1..=CROWD as u64).collect());
        let page = mongo.page(&room.id, SeqRange::Latest, 100).await.unwrap();
        assert!(page.iter().map(|m| m.seq).eq(1..=CROWD as u64));
        let (last_seq, last_message) = last(&mongo, &room).await;
        assert_eq!((last_seq, Some(&last_message)), (CROWD as u64, page.last()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_under_one_key_is_one_message_and_the_next_one_stands_after_it() {
    with_mongo(|mongo| async move {
        let room = group(&["ada", "bob"]);
        mongo.insert_group(&room).await.unwrap();
        let answers = crowd(&mongo, &room, Some("once")).await;
        let fresh = answers.iter().filter(|a| matches!(a, Appended::Created(_))).count();
        let ids: BTreeSet<_> =
            answers.iter().map(|(Appended::Created(m) | Appended::Duplicate(m))| m.id.clone()).collect();
        assert_eq!((fresh, ids.len()), (1, 1));
        let Appended::Created(next) =
            mongo.append(&draft(&room, "ada", "next", Some("twice"))).await.unwrap()
        else {
            panic!("another key is another message")
        };
        let (last_seq, last_message) = last(&mongo, &room).await;
        assert_eq!((last_seq, &last_message), (next.seq, &next));
        assert_eq!(mongo.page(&room.id, SeqRange::Latest, 100).await.unwrap().len(), 2);
    })
    .await;
}

/// What a reader sees while others write never has a hole that is filled later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_seen_a_message_has_missed_none_before_it() {
    with_mongo(|mongo| async move {
        let room = group(&["ada", "bob"]);
        mongo.insert_group(&room).await.unwrap();
        let writing = tokio::spawn({
            let (mongo, room) = (mongo.clone(), room.clone());
            async move { crowd(&mongo, &room, None).await }
        });
        while !writing.is_finished() {
            let page = mongo.page(&room.id, SeqRange::After(0), 100).await.unwrap();
            assert!(page.iter().map(|m| m.seq).eq(1..=page.len() as u64), "{page:?}");
        }
        writing.await.unwrap();
    })
    .await;
}

/// A database with one group, and a raw view on it, to play a writer that dies.
struct Half {
    mongo: Mongo,
    raw: mongodb::Database,
    room: Conversation,
}

async fn half(died_after: usize, key: &str) -> Option<Half> {
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
    Some(Half { mongo, raw, room })
}

#[tokio::test]
async fn a_writer_that_died_half_way_is_finished_by_the_next() {
    for died_after in [1, 2] {
        let Some(Half { mongo, raw, room }) = half(died_after, "k").await else { return };
        assert_eq!(last(&mongo, &room).await.0, 1, "nothing is announced before it is settled");
        let next = mongo.append(&draft(&room, "bob", "next", None)).await.unwrap();
        assert!(matches!(next, Appended::Created(Message { seq: 3, .. })), "{next:?}");
        let page = mongo.page(&room.id, SeqRange::Latest, 10).await.unwrap();
        let told: Vec<_> = page.iter().map(|m| (m.seq, m.content.as_str())).collect();
        assert_eq!(told, [(1, "first"), (2, "lost"), (3, "next")], "died after step {died_after}");
        let stored = raw.collection::<Document>("conversations").find_one(doc! {}).await.unwrap().unwrap();
        assert!(stored.get_array("pending").unwrap().is_empty(), "{stored}");
        mongo.drop_database().await.unwrap();
    }
}

#[tokio::test]
async fn the_retry_of_a_writer_that_died_half_way_meets_its_first_try() {
    for died_after in [1, 2] {
        let Some(Half { mongo, room, .. }) = half(died_after, "k").await else { return };
        let retry = mongo.append(&draft(&room, "ada", "lost", Some("k"))).await.unwrap();
        assert!(matches!(&retry, Appended::Duplicate(m) if m.seq == 2), "{retry:?}");
        let (last_seq, last_message) = last(&mongo, &room).await;
        assert_eq!((last_seq, last_message.content.as_str()), (2, "lost"), "died after step {died_after}");
        mongo.drop_database().await.unwrap();
    }
}

/// "Everything is read" said while a message is on its way does not swallow that message.
#[tokio::test]
async fn a_message_on_its_way_does_not_arrive_read() {
    let Some(Half { mongo, room, .. }) = half(1, "k").await else { return };
    let bob = UserId::trusted("bob");
    assert_eq!(mongo.mark_read(&room.id, &bob, u64::MAX).await.unwrap(), Some(1));
    mongo.append(&draft(&room, "ada", "next", None)).await.unwrap();
    assert_eq!(mongo.unread(&bob).await.unwrap(), [(room.id.clone(), 2)]);
    mongo.drop_database().await.unwrap();
}
