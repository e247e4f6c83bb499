//! Exactly one of any number of racing connects and disconnects sees each edge.

use futures::future::join_all;
use shared::connection::AttachOutcome;
use shared::id::{ConnectionId, ConversationId, UserId};
use shared::ports::{Connections, Heartbeats, Presence, Rooms};

use crate::world::{NOW, World, identity};

const MANY: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_connects_one_is_first_and_of_fifty_disconnects_one_is_last() {
    let Some(world) = World::new() else { return };
    let names: Vec<String> = (0..MANY).map(|n| format!("c{n}")).collect();
    let ids = join_all(names.iter().map(|name| world.open(name))).await;

    let attached = join_all(ids.iter().map(|id| world.attach(id, "ada"))).await;
    assert_eq!(
        attached.iter().filter(|edge| **edge == AttachOutcome::Attached { came_online: true }).count(),
        1
    );
    assert_eq!(world.redis.of_users(&[UserId::trusted("ada")]).await.unwrap().len(), MANY);

    // Everybody ends everything, twice: an end counts once.
    let ended = join_all(ids.iter().chain(&ids).map(|id| world.redis.end(id, NOW))).await;
    let ended: Vec<_> = ended.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!((ended.len(), ended.iter().filter(|end| end.last).count()), (MANY, 1));
    assert_eq!(world.keys(), Vec::<String>::new(), "nothing stays behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn edges_alternate_however_connects_and_disconnects_mix() {
    let Some(world) = World::new() else { return };
    let lives = join_all((0..MANY).map(|n| {
        let world = &world;
        async move {
            let (mut firsts, mut lasts) = (0, 0);
            for round in 0..5 {
                let id = world.open(&format!("c{n}-{round}")).await;
                firsts += usize::from(
                    world.attach(&id, "ada").await == AttachOutcome::Attached { came_online: true },
                );
                lasts += usize::from(world.redis.end(&id, NOW).await.unwrap().unwrap().last);
            }
            (firsts, lasts)
        }
    }))
    .await;
    let (firsts, lasts) = lives.into_iter().fold((0, 0), |sum, life| (sum.0 + life.0, sum.1 + life.1));
    assert_eq!(firsts, lasts);
    assert!(firsts >= 1);
    assert_eq!(world.redis.count().await.unwrap(), 0);
}

#[tokio::test]
async fn signs_of_life_of_the_forgotten_leave_no_trace() {
    let Some(world) = World::new() else { return };
    let id = world.open("c").await;
    world.attach(&id, "ada").await;
    world.forget();

    let (redis, room) = (&world.redis, ConversationId::trusted("r"));
    redis.renew_lease(&id, NOW).await.unwrap();
    redis.mark_pinged(&id, NOW).await.unwrap();
    redis.join(&room, &id).await.unwrap();
    assert_eq!(redis.attach(&id, &identity("ada"), NOW).await.unwrap(), AttachOutcome::ConnectionGone);
    assert_eq!(redis.get(&id).await.unwrap(), None);
    assert_eq!(redis.end(&id, NOW).await.unwrap(), None);
    assert_eq!(world.keys(), Vec::<String>::new());

    // Opening it again mends all of it.
    world.open("c").await;
    assert_eq!(world.attach(&id, "ada").await, AttachOutcome::Attached { came_online: true });
}

#[tokio::test]
async fn a_repeated_connect_keeps_the_identity() {
    let Some(world) = World::new() else { return };
    let id = world.open("c").await;
    world.attach(&id, "ada").await;
    world.open("c").await;
    assert_eq!(world.redis.get(&id).await.unwrap().unwrap().identity, Some(identity("ada")));
}

#[tokio::test]
async fn another_user_on_the_same_connection_replaces_the_first() {
    let Some(world) = World::new() else { return };
    let id = world.open("c").await;
    world.attach(&id, "ada").await;
    assert_eq!(world.attach(&id, "bob").await, AttachOutcome::Attached { came_online: true });

    let redis = &world.redis;
    assert!(redis.of_users(&[UserId::trusted("ada")]).await.unwrap().is_empty());
    assert!(redis.of_session(&identity("ada").session_id).await.unwrap().is_empty());
    assert_eq!(redis.of_session(&identity("bob").session_id).await.unwrap().len(), 1);
    assert_eq!(redis.reconcile(NOW).await.unwrap(), [UserId::trusted("ada")], "so that it can be announced");
    assert!(redis.end(&id, NOW).await.unwrap().unwrap().last);
    assert_eq!(world.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn ids_that_begin_alike_are_kept_apart() {
    let Some(world) = World::new() else { return };
    for (id, user) in [("c", "ada"), ("c=", "ada-2"), ("c-", "ad"), ("cc", "ada2")] {
        let id = world.open(id).await;
        world.attach(&id, user).await;
        world.redis.join(&ConversationId::trusted(user), &id).await.unwrap();
    }
    for user in ["ada", "ada-2", "ad", "ada2"] {
        let found = world.redis.of_users(&[UserId::trusted(user)]).await.unwrap();
        assert_eq!(found.len(), 1, "{user}");
        assert_eq!(world.redis.joined(&ConversationId::trusted(user)).await.unwrap(), found);
    }
    let mut seen: Vec<ConnectionId> = Vec::new();
    while let [next] = world.redis.all_attached(seen.last(), 1).await.unwrap().as_slice() {
        seen.push(next.id.clone());
    }
    assert_eq!(seen, ["c", "c-", "c=", "cc"].map(ConnectionId::trusted));
}
