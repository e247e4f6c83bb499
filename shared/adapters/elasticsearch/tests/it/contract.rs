//! The contract that every adapter is held to.

use test_support::contract::{self, SearchPorts};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn search() {
    let Some(world) = World::new().await else { return };
    let subject =
        SearchPorts { index: world.search.clone(), documents: None, writer: Some(world.search.clone()) };
    contract::verify("search", "elasticsearch", contract::search(), subject).await;
}
