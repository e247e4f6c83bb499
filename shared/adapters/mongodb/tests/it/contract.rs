//! Every port's contract, each in its own database.

use std::sync::Arc;

use adapter_mongodb::Mongo;
use shared::contract::{self, Chats, Search, Waiting};

use crate::test_database::with_mongo;

const NAME: &str = "mongodb";

fn chats(mongo: Arc<Mongo>) -> Chats {
    Chats { conversations: mongo.clone(), messages: mongo }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_satisfy_the_contract() {
    with_mongo(|mongo| async move { contract::hold("users", NAME, contract::users(), mongo).await }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_satisfy_the_contract() {
    with_mongo(|mongo| async move {
        contract::hold("conversations", NAME, contract::conversations(), chats(mongo)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_satisfy_the_contract() {
    with_mongo(|mongo| async move {
        contract::hold("messages", NAME, contract::messages(), chats(mongo)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn auto_messages_satisfy_the_contract() {
    with_mongo(|mongo| async move {
        contract::hold("auto_messages", NAME, contract::auto_messages(), mongo).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_satisfies_the_contract() {
    with_mongo(|mongo| async move {
        let subject = Search { index: mongo.clone(), chats: Some(chats(mongo)), indexing: None };
        contract::hold("search", NAME, contract::search(), subject).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn index_backlog_satisfies_the_contract() {
    with_mongo(|mongo| async move {
        let subject = Waiting { chats: chats(mongo.clone()), index_backlog: mongo };
        contract::hold("index_backlog", NAME, contract::index_backlog(), subject).await;
    })
    .await;
}
