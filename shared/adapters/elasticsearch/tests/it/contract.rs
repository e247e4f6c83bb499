//! The shared contract suite.

use crate::test_index::TestIndex;

#[tokio::test(flavor = "multi_thread")]
async fn search_satisfies_the_contract() {
    let Some(index) = TestIndex::new().await else { return };
    let subject = shared::contract::Search {
        index: index.search.clone(),
        chats: None,
        indexing: Some(index.search.clone()),
    };
    shared::contract::hold("search", "elasticsearch", shared::contract::search(), subject).await;
}
