//! Sessions expire by their TTL, and concurrent refreshes get one successor.

use std::time::Duration;

use futures::future::join_all;
use shared::id::{SessionId, UserId};
use shared::ports::Sessions;
use shared::session::{Rotation, RotationRequest, Session};
use shared::time::Time;

use crate::test_redis::{NOW, TestRedis};

fn session(id: &str, lifetime: Duration) -> Session {
    Session {
        id: SessionId::trusted(id),
        user_id: UserId::trusted("ada"),
        refresh_hash: "h0".to_owned(),
        device: "Mozilla/5.0 (a b; c)".to_owned(),
        created_at: NOW,
        last_seen_at: NOW,
        expires_at: NOW + lifetime,
    }
}

fn rotation(shown: &str, new: &str, now: Time, expires_at: Time) -> RotationRequest {
    RotationRequest {
        id: SessionId::trusted("s"),
        shown_hash: shown.to_owned(),
        new_hash: new.to_owned(),
        sealed_token: format!("sealed {new}"),
        now,
        expires_at,
        lifetime: Duration::from_secs(365 * 86_400),
        grace: Duration::from_secs(10),
    }
}

#[tokio::test]
async fn every_session_key_has_a_ttl_that_a_refresh_extends() {
    let Some(server) = TestRedis::new() else { return };
    let opened = session("s", Duration::from_secs(60));
    server.redis.open(&opened, 20).await.unwrap();
    let later = NOW + Duration::from_secs(1);
    let until = later + Duration::from_secs(3_600);
    let rotation = server.redis.rotate(&rotation("h0", "h1", later, until)).await.unwrap();
    let refreshed =
        Session { refresh_hash: "h1".to_owned(), last_seen_at: later, expires_at: until, ..opened };
    assert_eq!(rotation, Rotation::Rotated(refreshed));

    let keys = server.keys();
    assert_eq!(keys.len(), 3, "{keys:?}");
    for key in keys {
        let ttl: i64 = server.command(&["PTTL", &key]);
        assert!((3_590_000..=3_600_000).contains(&ttl), "{key} expires in {ttl} ms");
    }
}

#[tokio::test]
async fn a_users_index_outlives_a_short_session_when_another_is_longer() {
    let Some(server) = TestRedis::new() else { return };
    server.redis.open(&session("long", Duration::from_secs(3_600)), 20).await.unwrap();
    server.redis.open(&session("short", Duration::from_secs(1)), 20).await.unwrap();
    let index = format!("{{{}:sessions}}:of:ada", server.prefix);
    let ttl: i64 = server.command(&["PTTL", &index]);
    assert!(ttl > 3_590_000, "{ttl} ms");
    // Opening a third session drops the expired one from the index.
    let later = NOW + Duration::from_secs(2);
    let third = Session { last_seen_at: later, ..session("third", Duration::from_secs(60)) };
    server.redis.open(&third, 20).await.unwrap();
    let mut ids: Vec<String> = server.command(&["ZRANGE", &index, "0", "-1"]);
    ids.sort();
    assert_eq!(ids, ["long", "third"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_concurrent_refreshes_of_one_token_get_one_successor() {
    let Some(server) = TestRedis::new() else { return };
    let opened = session("s", Duration::from_secs(60));
    server.redis.open(&opened, 20).await.unwrap();
    let until = NOW + Duration::from_secs(60);
    let requests: Vec<_> = (0..50).map(|n| rotation("h0", &format!("new{n}"), NOW, until)).collect();
    let verdicts = join_all(requests.iter().map(|request| server.redis.rotate(request))).await;
    let current = server.redis.live(&opened.id, NOW).await.unwrap().unwrap();
    let successor = format!("sealed {}", current.refresh_hash);
    let rotated = Rotation::Rotated(current.clone());
    let repeated = Rotation::Repeated { session: current, sealed_token: successor };
    let count = |wanted: &Rotation| verdicts.iter().filter(|v| v.as_ref().unwrap() == wanted).count();
    assert_eq!((count(&rotated), count(&repeated)), (1, 49));
}

#[tokio::test]
async fn reused_token_leaves_no_keys_behind() {
    let Some(server) = TestRedis::new() else { return };
    let opened = session("s", Duration::from_secs(60));
    server.redis.open(&opened, 20).await.unwrap();
    let until = NOW + Duration::from_secs(60);
    server.redis.rotate(&rotation("h0", "h1", NOW, until)).await.unwrap();
    let late = NOW + Duration::from_secs(10);
    let verdict = server.redis.rotate(&rotation("h0", "h2", late, until)).await.unwrap();
    assert!(matches!(verdict, Rotation::Reused(_)), "{verdict:?}");
    assert_eq!(server.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn used_hashes_are_dropped_when_they_are_too_many_or_expired() {
    let Some(server) = TestRedis::new() else { return };
    let opened = session("s", Duration::from_secs(60));
    server.redis.open(&opened, 20).await.unwrap();
    let step = |n: i64| Time::from_millis(NOW.millis() + n);
    for n in 0..1_050 {
        let (shown, new) = (format!("h{n}"), format!("h{}", n + 1));
        let until = step(n) + Duration::from_secs(60);
        let rotation = server.redis.rotate(&rotation(&shown, &new, step(n), until)).await.unwrap();
        assert!(matches!(rotation, Rotation::Rotated(_)), "{n}");
    }
    let used = format!("{{{}:sessions}}:used:s", server.prefix);
    assert_eq!(server.command::<u64>(&["ZCARD", &used]), 1_000);

    // The session lasts two days and is refreshed after one: all tokens from before have expired by then.
    let (long, day) = (Duration::from_secs(2 * 86_400), Duration::from_secs(86_400));
    server.redis.rotate(&rotation("h1050", "day", step(1_050), step(1_050) + long)).await.unwrap();
    server.redis.rotate(&rotation("day", "next", step(1_050) + day, step(1_050) + long)).await.unwrap();
    assert_eq!(server.command::<Vec<String>>(&["ZRANGE", &used, "0", "-1"]), ["day"]);
}
