//! The contract suite of each port, run on this adapter.

use test_support::contract::{self, SearchPorts};

use crate::test_index::TestIndex;

#[tokio::test(flavor = "multi_thread")]
async fn search_satisfies_the_contract() {
    let Some(server) = TestIndex::new().await else { return };
    let subject =
        SearchPorts { index: server.search.clone(), documents: None, writer: Some(server.search.clone()) };
    contract::verify("search", "elasticsearch", contract::search(), subject).await;
}
