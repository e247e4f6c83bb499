//! The Set of online users agrees with the connections again, over many pages.

use shared::id::{ConversationId, UserId};
use shared::ports::{Connections, Heartbeats, Presence, Rooms};

use crate::world::{NOW, World, identity};

#[tokio::test]
async fn strangers_leave_the_set_and_the_lost_return() {
    let Some(world) = World::new() else { return };
    let set = format!("{{{}}}:online_users", world.prefix);
    let here = world.open("c").await;
    world.attach(&here, "ada").await;
    world.ask::<()>(&["SREM", &set, "ada"]);
    let strangers: Vec<String> = (0..2_500).map(|n| format!("stranger{n:04}")).collect();
    let add: Vec<&str> = ["SADD", &set].into_iter().chain(strangers.iter().map(String::as_str)).collect();
    world.ask::<()>(&add);

    let mut taken_out = world.redis.reconcile(NOW).await.unwrap();
    taken_out.sort();
    assert_eq!(taken_out, strangers.iter().map(UserId::trusted).collect::<Vec<_>>());
    assert_eq!(world.redis.online().await.unwrap(), [UserId::trusted("ada")]);
    assert_eq!(world.redis.reconcile(NOW).await.unwrap(), [], "a second time finds nothing");
}

#[tokio::test]
async fn everybody_returns_when_the_set_alone_is_lost() {
    let Some(world) = World::new() else { return };
    for n in 0..1_200 {
        let id = world.open(&format!("c{n}")).await;
        world.attach(&id, &format!("u{}", n / 2)).await;
    }
    world.ask::<()>(&["DEL", &format!("{{{}}}:online_users", world.prefix)]);
    assert_eq!(world.redis.reconcile(NOW).await.unwrap(), []);
    assert_eq!(world.redis.count().await.unwrap(), 600);
}

#[tokio::test]
async fn any_index_that_is_lost_is_made_again() {
    for lost in ["online_users", "attached", "by_user", "by_session", "pings", "leases"] {
        let Some(world) = World::new() else { return };
        let (redis, ada) = (&world.redis, UserId::trusted("ada"));
        let id = world.open("c").await;
        world.attach(&id, "ada").await;
        let before = world.keys();
        world.ask::<()>(&["DEL", &format!("{{{}}}:{lost}", world.prefix)]);

        assert_eq!(redis.reconcile(NOW).await.unwrap(), [], "{lost}");
        assert_eq!(world.keys(), before);
        let found = redis.of_users(std::slice::from_ref(&ada)).await.unwrap();
        assert_eq!(found.len(), 1, "{lost}");
        assert_eq!(redis.of_session(&identity("ada").session_id).await.unwrap(), found, "{lost}");
        assert_eq!(redis.all_attached(None, 9).await.unwrap(), found, "{lost}");
        assert_eq!(redis.due(NOW, 9).await.unwrap(), [redis.get(&id).await.unwrap().unwrap()], "{lost}");
        assert!(redis.end(&id, NOW).await.unwrap().unwrap().last);
        assert_eq!(world.keys(), Vec::<String>::new(), "{lost}");
    }
}

#[tokio::test]
async fn connections_that_are_lost_are_swept_and_their_users_announced() {
    let Some(world) = World::new() else { return };
    let (redis, room) = (&world.redis, ConversationId::trusted("r"));
    let id = world.open("c").await;
    world.attach(&id, "ada").await;
    redis.join(&room, &id).await.unwrap();
    world.ask::<()>(&["DEL", &format!("{{{}}}:connections", world.prefix)]);

    assert_eq!(redis.reconcile(NOW).await.unwrap(), [UserId::trusted("ada")]);
    assert!(redis.all_attached(None, 9).await.unwrap().is_empty());
    assert!(redis.joined(&room).await.unwrap().is_empty());
    let later = NOW + std::time::Duration::from_secs(1);
    assert_eq!(redis.expired(later, 9).await.unwrap(), std::slice::from_ref(&id));
    assert_eq!(redis.end(&id, NOW).await.unwrap(), None);
    assert!(redis.expired(later, 9).await.unwrap().is_empty(), "the sweep does not meet it again");
}
