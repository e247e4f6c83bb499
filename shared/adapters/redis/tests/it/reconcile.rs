//! Reconciliation restores the online set and the indexes from the connections, over several pages.

use shared::id::{ConversationId, UserId};
use shared::ports::{Connections, Heartbeats, Presence, Rooms};

use crate::test_redis::{NOW, TestRedis, identity};

#[tokio::test]
async fn reconcile_removes_users_without_a_connection_and_restores_missing_ones() {
    let Some(server) = TestRedis::new() else { return };
    let set = format!("{{{}}}:online_users", server.prefix);
    let id = server.open("c").await;
    server.attach(&id, "ada").await;
    server.command::<()>(&["SREM", &set, "ada"]);
    let offline: Vec<String> = (0..2_500).map(|n| format!("offline{n:04}")).collect();
    let add: Vec<&str> = ["SADD", &set].into_iter().chain(offline.iter().map(String::as_str)).collect();
    server.command::<()>(&add);

    let mut removed = server.redis.reconcile(NOW).await.unwrap();
    removed.sort();
    assert_eq!(removed, offline.iter().map(UserId::trusted).collect::<Vec<_>>());
    assert_eq!(server.redis.online().await.unwrap(), [UserId::trusted("ada")]);
    assert_eq!(server.redis.reconcile(NOW).await.unwrap(), [], "the second run must find nothing");
}

#[tokio::test]
async fn reconcile_restores_all_users_when_the_online_set_is_lost() {
    let Some(server) = TestRedis::new() else { return };
    for n in 0..1_200 {
        let id = server.open(&format!("c{n}")).await;
        server.attach(&id, &format!("u{}", n / 2)).await;
    }
    server.command::<()>(&["DEL", &format!("{{{}}}:online_users", server.prefix)]);
    assert_eq!(server.redis.reconcile(NOW).await.unwrap(), []);
    assert_eq!(server.redis.count().await.unwrap(), 600);
}

#[tokio::test]
async fn reconcile_restores_an_index_when_it_is_lost() {
    for lost in ["online_users", "attached", "by_user", "by_session", "pings", "leases"] {
        let Some(server) = TestRedis::new() else { return };
        let (redis, ada) = (&server.redis, UserId::trusted("ada"));
        let id = server.open("c").await;
        server.attach(&id, "ada").await;
        let before = server.keys();
        server.command::<()>(&["DEL", &format!("{{{}}}:{lost}", server.prefix)]);

        assert_eq!(redis.reconcile(NOW).await.unwrap(), [], "{lost}");
        assert_eq!(server.keys(), before);
        let found = redis.of_users(std::slice::from_ref(&ada)).await.unwrap();
        assert_eq!(found.len(), 1, "{lost}");
        assert_eq!(redis.of_session(&identity("ada").session_id).await.unwrap(), found, "{lost}");
        assert_eq!(redis.all_attached(None, 9).await.unwrap(), found, "{lost}");
        assert_eq!(redis.due(NOW, 9).await.unwrap(), [redis.get(&id).await.unwrap().unwrap()], "{lost}");
        assert!(redis.end(&id, NOW).await.unwrap().unwrap().last);
        assert_eq!(server.keys(), Vec::<String>::new(), "{lost}");
    }
}

#[tokio::test]
async fn reconcile_reports_users_as_offline_when_the_connections_hash_is_lost() {
    let Some(server) = TestRedis::new() else { return };
    let (redis, room) = (&server.redis, ConversationId::trusted("r"));
    let id = server.open("c").await;
    server.attach(&id, "ada").await;
    redis.join(&room, &id).await.unwrap();
    server.command::<()>(&["DEL", &format!("{{{}}}:connections", server.prefix)]);

    assert_eq!(redis.reconcile(NOW).await.unwrap(), [UserId::trusted("ada")]);
    assert!(redis.all_attached(None, 9).await.unwrap().is_empty());
    assert!(redis.sessions(None, 9).await.unwrap().is_empty());
    assert!(redis.joined(&room).await.unwrap().is_empty());
    let later = NOW + std::time::Duration::from_secs(1);
    assert_eq!(redis.expired(later, 9).await.unwrap(), std::slice::from_ref(&id));
    assert_eq!(redis.end(&id, NOW).await.unwrap(), None);
    assert!(redis.expired(later, 9).await.unwrap().is_empty(), "an ended connection must not expire again");
}
