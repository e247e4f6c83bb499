//! No command of the adapter may scan a whole collection. The tests capture the commands that the driver sends, so
//! changed queries are checked too. Each is checked against the list of indexes, and against the server's plan if the
//! server plans as MongoDB does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_mongodb::{INDEXES, Mongo};
use mongodb::bson::{Bson, Document, doc};
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};
use shared::auto_message::AutoMessage;
use shared::conversation::{ActivityCursor, Conversation};
use shared::id::{AutoMessageId, ConversationId, MessageId, UserId};
use shared::message::SeqRange;
use shared::ports::{AutoMessages, Conversations, IndexBacklog, Messages, SearchIndex, SearchQuery, Users};
use shared::user::{Login, UserChange};
use test_support::report;

use crate::index_use::without_index;
use crate::test_database::{NOW, database, draft, group, uri, user};

/// Commands as sent, without the fields of [`SESSION_FIELDS`].
type Captured = Arc<Mutex<Vec<Document>>>;

const EXPLAINED: [&str; 4] = ["find", "aggregate", "findAndModify", "update"];
const SESSION_FIELDS: [&str; 6] = ["lsid", "$db", "$clusterTime", "txnNumber", "readConcern", "writeConcern"];

/// A client, and the commands that it sends.
async fn capturing_client(uri: &str) -> (Client, Captured) {
    let captured = Captured::default();
    let sink = captured.clone();
    let mut options = ClientOptions::parse(uri).await.unwrap();
    options.command_event_handler = Some(EventHandler::callback(move |event| {
        if let CommandEvent::Started(started) = event
            && EXPLAINED.contains(&started.command_name.as_str())
        {
            let command =
                started.command.into_iter().filter(|(key, _)| !SESSION_FIELDS.contains(&key.as_str()));
            sink.lock().unwrap().push(command.collect());
        }
    }));
    (Client::with_options(options).unwrap(), captured)
}

/// Collects the texts of every field named `name`, at any depth.
fn texts_of<'a>(name: &str, value: &'a Bson, found: &mut Vec<&'a str>) {
    match value {
        Bson::Document(document) => {
            for (key, value) in document {
                match value {
                    Bson::String(text) if key == name => found.push(text),
                    nested => texts_of(name, nested, found),
                }
            }
        }
        Bson::Array(values) => values.iter().for_each(|value| texts_of(name, value, found)),
        _ => {}
    }
}

async fn users(mongo: &Mongo) {
    for name in ["ada", "bob", "cem"] {
        mongo.insert(&user(name)).await.unwrap();
    }
    let ada = user("ada").id;
    Users::by_ids(mongo, std::slice::from_ref(&ada)).await.unwrap();
    mongo.by_login(&Login::Email("ada@example.com".to_owned())).await.unwrap();
    mongo.by_login(&Login::Username("ada".to_owned())).await.unwrap();
    let change = UserChange { display_name: Some("Ada".to_owned()), ..UserChange::default() };
    mongo.update(&ada, &change).await.unwrap();
    mongo.mark_seen(&ada, NOW).await.unwrap();
    Users::list(mongo, None, Some("ada"), 10).await.unwrap();
    Users::list(mongo, Some("cel"), Some("ada"), 10).await.unwrap();
    mongo.active(NOW, Some(&ada), 10).await.unwrap();
}

async fn conversations(mongo: &Mongo) -> Conversation {
    let (ada, bob) = (user("ada").id, user("bob").id);
    let direct = |id: &str| Conversation::direct(ConversationId::trusted(id), &ada, &bob, NOW);
    mongo.ensure_direct(&direct("d1")).await.unwrap();
    mongo.ensure_direct(&direct("d2")).await.unwrap();
    let room = group(&["ada", "bob", "cem"]);
    mongo.insert_group(&room).await.unwrap();
    mongo.for_member(&room.id, &ada).await.unwrap();
    Conversations::list(mongo, &ada, None, 10).await.unwrap();
    let after = ActivityCursor { updated_at: NOW, id: room.id.clone() };
    Conversations::list(mongo, &ada, Some(&after), 10).await.unwrap();
    mongo.mark_read(&room.id, &ada, 1).await.unwrap();
    mongo.unread(&ada).await.unwrap();
    room
}

async fn messages(mongo: &Mongo, room: &Conversation) {
    let first = draft(room, "ada", "iki çay", Some("k"));
    mongo.append(&first).await.unwrap();
    mongo.append(&draft(room, "ada", "iki çay", Some("k"))).await.unwrap();
    Messages::by_ids(mongo, std::slice::from_ref(&first.id)).await.unwrap();
    for span in [SeqRange::Latest, SeqRange::Before(9), SeqRange::After(0)] {
        mongo.page(&room.id, span, 10).await.unwrap();
    }
    for conversation in [None, Some(room.id.clone())] {
        let query = SearchQuery {
            member: UserId::trusted("bob"),
            terms: vec!["ik".to_owned(), "cay".to_owned()],
            conversation,
            after: Some("zzz".to_owned()),
            limit: 10,
        };
        assert_eq!(mongo.search(&query).await.unwrap().len(), 1);
    }
    let ids = mongo.waiting(NOW, 10).await.unwrap();
    assert_eq!(ids, std::slice::from_ref(&first.id));
    mongo.hide_until(&ids, NOW, NOW).await.unwrap();
    let rows = mongo.documents(&ids).await.unwrap();
    mongo.mark_indexed(&[(first.id.clone(), rows[0].revision)]).await.unwrap();
    mongo.all(None, 10).await.unwrap();
    mongo.total().await.unwrap();
    mongo.edit(&first.id, "üç çay", NOW).await.unwrap();
    mongo.delete(&MessageId::trusted(first.id.as_str()), NOW).await.unwrap();
}

async fn auto_messages(mongo: &Mongo) {
    let (ada, bob, id) = (user("ada").id, user("bob").id, AutoMessageId::trusted("a1"));
    let row = AutoMessage {
        id: id.clone(),
        sender_id: ada.clone(),
        receiver_id: bob.clone(),
        content: "merhaba".to_owned(),
        send_date: NOW,
        planned_for: "2023-11-14".to_owned(),
        is_queued: false,
        is_sent: false,
        attempts: 0,
    };
    assert_eq!(mongo.plan(&[row]).await.unwrap(), 1);
    mongo.planned_users("2023-11-14", &[ada, bob]).await.unwrap();
    assert_eq!(mongo.claim(NOW, NOW + Duration::from_secs(60), 10).await.unwrap().len(), 1);
    mongo.backlog(NOW).await.unwrap();
    mongo.mark_queued(std::slice::from_ref(&id)).await.unwrap();
    mongo.get(&id).await.unwrap();
    mongo.mark_sent(&id).await.unwrap();
}

/// The reads to explain. A write becomes the read with its filter, which has the same plan.
fn as_reads(command: &Document) -> Vec<Document> {
    let (name, collection) = command.iter().next().unwrap();
    let find = |filter: &Document| doc! { "find": collection, "filter": filter };
    match name.as_str() {
        "findAndModify" => vec![find(command.get_document("query").unwrap())],
        "update" => {
            let updates = command.get_array("updates").unwrap().iter();
            updates.map(|update| find(update.as_document().unwrap().get_document("q").unwrap())).collect()
        }
        _ => vec![command.clone()],
    }
}

/// The stages and the indexes of a read's plan; reports and returns `None` if the server cannot explain it.
async fn plan(database: &Database, read: &Document) -> Option<(Vec<String>, Vec<String>)> {
    let explained = database.run_command(doc! { "explain": read, "verbosity": "queryPlanner" }).await;
    let explained = match explained {
        Ok(explained) => Bson::Document(explained),
        Err(error) => {
            report(&format!("NOTE: this server does not explain {read}: {error}"));
            return None;
        }
    };
    let (mut stages, mut indexes) = (Vec::new(), Vec::new());
    texts_of("stage", &explained, &mut stages);
    texts_of("indexName", &explained, &mut indexes);
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    Some((owned(stages), owned(indexes)))
}

/// Whether the server plans as MongoDB does, tested with a range over `_id` sorted by `_id`.
async fn plans_like_mongodb(database: &Database) -> bool {
    let read = doc! { "find": "users", "filter": { "_id": { "$gt": "" } }, "sort": { "_id": 1 } };
    plan(database, &read)
        .await
        .is_some_and(|(stages, _)| stages.iter().all(|s| s != "COLLSCAN" && s != "SORT"))
}

/// The reads of a run that calls the methods of all ports.
async fn captured_reads(uri: &str, name: &str) -> Vec<Document> {
    let (client, captured) = capturing_client(uri).await;
    let mongo = Mongo::over(&client, name, Duration::from_secs(5));
    mongo.setup().await.unwrap();
    users(&mongo).await;
    let room = conversations(&mongo).await;
    messages(&mongo, &room).await;
    auto_messages(&mongo).await;
    captured.lock().unwrap().iter().flat_map(as_reads).collect()
}

#[tokio::test]
async fn every_command_uses_an_index() {
    let Some(uri) = uri() else { return };
    let name = database();
    let reads = captured_reads(&uri, &name).await;
    assert!(reads.len() > 40, "only {} reads were captured", reads.len());
    let database = Client::with_uri_str(&uri).await.unwrap().database(&name);
    let strict = plans_like_mongodb(&database).await;
    if !strict {
        report(
            "NOTE: this server does not plan as MongoDB does; commands are checked against the list of indexes only",
        );
    }
    for read in &reads {
        assert_eq!(without_index(read), Vec::<String>::new(), "{read}");
        let Some((stages, indexes)) = plan(&database, read).await else { continue };
        assert!(
            !strict || !stages.iter().any(|s| s == "COLLSCAN"),
            "{read} scans the whole collection: {stages:?}"
        );
        let listed = |name: &String| name == "_id_" || INDEXES.iter().any(|index| index.name == name);
        assert!(indexes.iter().all(listed), "{read} uses an index that is not listed: {indexes:?}");
    }
    database.drop().await.unwrap();
}

#[test]
fn read_is_reported_when_no_index_serves_it() {
    let unindexed_reads = [
        doc! { "find": "messages", "filter": { "content": "x" } },
        doc! { "find": "messages", "filter": { "clientMessageId": "x" } },
        doc! { "find": "messages", "filter": { "$or": [{ "_id": "x" }, { "content": "x" }] } },
        doc! { "aggregate": "users", "pipeline": [{ "$sort": { "content": 1 } }] },
    ];
    for read in unindexed_reads {
        assert_eq!(without_index(&read).len(), 1, "{read}");
    }
}

#[tokio::test]
async fn setup_creates_exactly_the_listed_indexes_and_may_be_repeated() {
    let Some(uri) = uri() else { return };
    let client = Client::with_uri_str(&uri).await.unwrap();
    let name = database();
    for _ in 0..2 {
        let mongo = Mongo::over(&client, &name, Duration::from_secs(5));
        mongo.setup().await.unwrap();
        for collection in ["users", "conversations", "messages", "auto_messages"] {
            let existing =
                client.database(&name).collection::<Document>(collection).list_index_names().await.unwrap();
            let existing: std::collections::BTreeSet<_> = existing.into_iter().collect();
            let listed = INDEXES.iter().filter(|i| i.collection == collection).map(|i| i.name.to_owned());
            assert_eq!(existing, listed.chain(["_id_".to_owned()]).collect(), "{collection}");
        }
    }
    client.database(&name).drop().await.unwrap();
}
