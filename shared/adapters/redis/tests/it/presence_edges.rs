//! Presence edges: of any number of concurrent connects and disconnects, exactly one is the first and exactly
//! one the last.

use std::time::Duration;

use futures::future::join_all;
use shared::connection::AttachOutcome;
use shared::id::{ConnectionId, ConversationId, UserId};
use shared::ports::{Connections, Heartbeats, Presence, PresenceChanges, PresenceClaim, Rooms};
use shared::time::Time;

use crate::test_redis::{NOW, TestRedis, identity};

const CONNECTIONS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn one_connect_is_the_first_and_one_disconnect_the_last_when_fifty_race() {
    let Some(server) = TestRedis::new() else { return };
    let names: Vec<String> = (0..CONNECTIONS).map(|n| format!("c{n}")).collect();
    let ids = join_all(names.iter().map(|name| server.open(name))).await;

    let attached = join_all(ids.iter().map(|id| server.attach(id, "ada"))).await;
    assert_eq!(
        attached.iter().filter(|edge| **edge == AttachOutcome::Attached { came_online: true }).count(),
        1
    );
    assert_eq!(server.redis.of_users(&[UserId::trusted("ada")]).await.unwrap().len(), CONNECTIONS);

    // Every connection is ended twice, concurrently; only one of the two counts.
    let ended = join_all(ids.iter().chain(&ids).map(|id| server.redis.end(id, NOW))).await;
    let ended: Vec<_> = ended.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!((ended.len(), ended.iter().filter(|ended| ended.last).count()), (CONNECTIONS, 1));
    assert_eq!(server.keys(), Vec::<String>::new(), "keys are left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn first_connects_and_last_disconnects_balance_when_they_are_mixed() {
    let Some(server) = TestRedis::new() else { return };
    let counts = join_all((0..CONNECTIONS).map(|n| {
        let server = &server;
        async move {
            let (mut firsts, mut lasts) = (0, 0);
            for round in 0..5 {
                let id = server.open(&format!("c{n}-{round}")).await;
                firsts += usize::from(
                    server.attach(&id, "ada").await == AttachOutcome::Attached { came_online: true },
                );
                lasts += usize::from(server.redis.end(&id, NOW).await.unwrap().unwrap().last);
            }
            (firsts, lasts)
        }
    }))
    .await;
    let (firsts, lasts) = counts.into_iter().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    assert_eq!(firsts, lasts);
    assert!(firsts >= 1);
    assert_eq!(server.redis.count().await.unwrap(), 0);
}

#[tokio::test]
async fn pings_leases_and_joins_are_ignored_after_the_connection_is_lost() {
    let Some(server) = TestRedis::new() else { return };
    let id = server.open("c").await;
    server.attach(&id, "ada").await;
    server.delete_all_keys();

    let (redis, room) = (&server.redis, ConversationId::trusted("r"));
    redis.renew_lease(&id, NOW).await.unwrap();
    redis.mark_pinged(&id, NOW).await.unwrap();
    redis.join(&room, &id).await.unwrap();
    assert_eq!(server.attach(&id, "ada").await, AttachOutcome::ConnectionGone);
    assert_eq!(redis.get(&id).await.unwrap(), None);
    assert_eq!(redis.end(&id, NOW).await.unwrap(), None);
    assert_eq!(server.keys(), Vec::<String>::new());

    // The id can be opened again.
    server.open("c").await;
    assert_eq!(server.attach(&id, "ada").await, AttachOutcome::Attached { came_online: true });
}

#[tokio::test]
async fn an_identity_is_kept_when_connect_is_repeated() {
    let Some(server) = TestRedis::new() else { return };
    let id = server.open("c").await;
    server.attach(&id, "ada").await;
    server.open("c").await;
    assert_eq!(server.redis.get(&id).await.unwrap().unwrap().identity, Some(identity("ada")));
}

#[tokio::test]
async fn the_previous_user_is_detached_when_another_user_attaches_to_the_connection() {
    let Some(server) = TestRedis::new() else { return };
    let id = server.open("c").await;
    server.attach(&id, "ada").await;
    assert_eq!(server.attach(&id, "bob").await, AttachOutcome::Attached { came_online: true });

    let redis = &server.redis;
    assert!(redis.of_users(&[UserId::trusted("ada")]).await.unwrap().is_empty());
    assert!(redis.of_session(&identity("ada").session_id).await.unwrap().is_empty());
    assert_eq!(redis.of_session(&identity("bob").session_id).await.unwrap().len(), 1);
    assert_eq!(
        redis.reconcile(NOW).await.unwrap(),
        [UserId::trusted("ada")],
        "ada must be announced as offline"
    );
    assert!(redis.end(&id, NOW).await.unwrap().unwrap().last);
    assert_eq!(server.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn ids_with_a_common_prefix_do_not_match_each_other() {
    let Some(server) = TestRedis::new() else { return };
    for (id, user) in [("c", "ada"), ("c=", "ada-2"), ("c-", "ad"), ("cc", "ada2")] {
        let id = server.open(id).await;
        server.attach(&id, user).await;
        server.redis.join(&ConversationId::trusted(user), &id).await.unwrap();
    }
    for user in ["ada", "ada-2", "ad", "ada2"] {
        let found = server.redis.of_users(&[UserId::trusted(user)]).await.unwrap();
        assert_eq!(found.len(), 1, "{user}");
        assert_eq!(server.redis.joined(&ConversationId::trusted(user)).await.unwrap(), found);
    }
    let mut seen: Vec<ConnectionId> = Vec::new();
    while let [next] = server.redis.all_attached(seen.last(), 1).await.unwrap().as_slice() {
        seen.push(next.id.clone());
    }
    assert_eq!(seen, ["c", "c-", "c=", "cc"].map(ConnectionId::trusted));
}

/// The connection breaks after the server has run the script and before its answer arrives: the adapter repeats it.
#[tokio::test]
async fn attach_and_end_that_are_repeated_lose_no_edge() {
    let Some(server) = TestRedis::new() else { return };
    let id = server.open("c").await;
    let first = AttachOutcome::Attached { came_online: true };
    assert_eq!((server.attach(&id, "ada").await, server.attach(&id, "ada").await), (first, first));
    let claim = |now: Time| PresenceClaim {
        user: None,
        now,
        left_before: now,
        claimed_until: now + Duration::from_secs(60),
        limit: 9,
    };
    let arrived = server.redis.claim(claim(NOW)).await.unwrap();
    server.redis.mark_announced(&arrived).await.unwrap();
    assert_eq!(server.attach(&id, "ada").await, AttachOutcome::Attached { came_online: false });
    assert!(server.redis.end(&id, NOW).await.unwrap().unwrap().last);
    assert_eq!(server.redis.end(&id, NOW).await.unwrap(), None);
    let left = server.redis.claim(claim(NOW)).await.unwrap();
    let told: Vec<(&str, bool)> =
        arrived.iter().chain(&left).map(|change| (change.user_id.as_str(), change.online)).collect();
    assert_eq!(told, [("ada", true), ("ada", false)]);
}
