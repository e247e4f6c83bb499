//! The contract suite of each port, on its own database per port.

use std::sync::Arc;

use adapter_mongodb::Mongo;
use test_support::contract::{self, BacklogPorts, DocumentPorts, SearchPorts};

use crate::test_database::with_mongo;

const NAME: &str = "mongodb";

fn document_ports(mongo: Arc<Mongo>) -> DocumentPorts {
    DocumentPorts { conversations: mongo.clone(), messages: mongo }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_satisfy_the_contract() {
    with_mongo(|mongo| async move { contract::verify("users", NAME, contract::users(), mongo).await }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_satisfy_the_contract() {
    with_mongo(|mongo| async move {
        contract::verify("conversations", NAME, contract::conversations(), document_ports(mongo)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_satisfy_the_contract() {
    with_mongo(|mongo| async move {
        contract::verify("messages", NAME, contract::messages(), document_ports(mongo)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn auto_messages_satisfy_the_contract() {
    with_mongo(|mongo| async move {
        contract::verify("auto_messages", NAME, contract::auto_messages(), mongo).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_satisfies_the_contract() {
    with_mongo(|mongo| async move {
        let subject =
            SearchPorts { index: mongo.clone(), documents: Some(document_ports(mongo)), writer: None };
        contract::verify("search", NAME, contract::search(), subject).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn index_backlog_satisfies_the_contract() {
    with_mongo(|mongo| async move {
        let subject = BacklogPorts { documents: document_ports(mongo.clone()), index_backlog: mongo };
        contract::verify("index_backlog", NAME, contract::index_backlog(), subject).await;
    })
    .await;
}
