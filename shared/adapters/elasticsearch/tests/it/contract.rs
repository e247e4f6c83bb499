//! The contract that every adapter is held to.

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn search() {
    let Some(world) = World::new().await else { return };
    let subject = shared::contract::Search {
        index: world.search.clone(),
        chats: None,
        indexing: Some(world.search.clone()),
    };
    shared::contract::hold("search", "elasticsearch", shared::contract::search(), subject).await;
}
