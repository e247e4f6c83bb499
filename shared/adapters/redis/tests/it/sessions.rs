//! That sessions go away by themselves, and that two refreshes at once cannot both win.

use std::time::Duration;

use futures::future::join_all;
use shared::id::{SessionId, UserId};
use shared::ports::Sessions;
use shared::session::{Rotation, Session};
use shared::time::Time;

use crate::world::{NOW, World};

fn session(id: &str, lasts: Duration) -> Session {
    Session {
        id: SessionId::trusted(id),
        user_id: UserId::trusted("ada"),
        refresh_hash: "h0".to_owned(),
        device: "Mozilla/5.0 (a b; c)".to_owned(),
        created_at: NOW,
        last_seen_at: NOW,
        expires_at: NOW + lasts,
    }
}

#[tokio::test]
async fn every_key_has_a_ttl_and_a_refresh_moves_all_of_them() {
    let Some(world) = World::new() else { return };
    let opened = session("s", Duration::from_secs(60));
    world.redis.open(&opened).await.unwrap();
    let later = NOW + Duration::from_secs(1);
    let until = later + Duration::from_secs(3_600);
    let rotation = world.redis.rotate(&opened.id, "h0", "h1", later, until).await.unwrap();
    let fresh = Session { refresh_hash: "h1".to_owned(), last_seen_at: later, expires_at: until, ..opened };
    assert_eq!(rotation, Rotation::Rotated(fresh));

    let keys = world.keys();
    assert_eq!(keys.len(), 3, "{keys:?}");
    for key in keys {
        let left: i64 = world.ask(&["PTTL", &key]);
        assert!((3_590_000..=3_600_000).contains(&left), "{key} lasts {left} ms");
    }
}

#[tokio::test]
async fn a_short_session_does_not_shorten_the_index_of_a_long_one() {
    let Some(world) = World::new() else { return };
    world.redis.open(&session("long", Duration::from_secs(3_600))).await.unwrap();
    world.redis.open(&session("short", Duration::from_secs(1))).await.unwrap();
    let index = format!("{{{}:sessions}}:of:ada", world.prefix);
    let left: i64 = world.ask(&["PTTL", &index]);
    assert!(left > 3_590_000, "{left} ms");
    // Opening a third one later drops the one that has expired from the index.
    let later = NOW + Duration::from_secs(2);
    let third = Session { last_seen_at: later, ..session("third", Duration::from_secs(60)) };
    world.redis.open(&third).await.unwrap();
    let mut ids: Vec<String> = world.ask(&["ZRANGE", &index, "0", "-1"]);
    ids.sort();
    assert_eq!(ids, ["long", "third"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_refreshes_with_one_token_one_wins_and_the_session_ends() {
    let Some(world) = World::new() else { return };
    let opened = session("s", Duration::from_secs(60));
    world.redis.open(&opened).await.unwrap();
    let names: Vec<String> = (0..50).map(|n| format!("new{n}")).collect();
    let rotate = |new| world.redis.rotate(&opened.id, "h0", new, NOW, NOW + Duration::from_secs(60));
    let verdicts = join_all(names.iter().map(|new| rotate(new))).await;
    let count =
        |wanted: fn(&Rotation) -> bool| verdicts.iter().filter(|v| wanted(v.as_ref().unwrap())).count();
    assert_eq!(count(|v| matches!(v, Rotation::Rotated(_))), 1);
    assert_eq!(count(|v| matches!(v, Rotation::Reused(_))), 1);
    assert_eq!(world.keys(), Vec::<String>::new(), "an ended session leaves nothing");
}

#[tokio::test]
async fn the_history_of_a_session_is_bounded_and_forgets_what_expired_by_itself() {
    let Some(world) = World::new() else { return };
    let opened = session("s", Duration::from_secs(60));
    world.redis.open(&opened).await.unwrap();
    let step = |n: i64| Time::from_millis(NOW.millis() + n);
    for n in 0..1_050 {
        let (shown, new) = (format!("h{n}"), format!("h{}", n + 1));
        let until = step(n) + Duration::from_secs(60);
        let rotation = world.redis.rotate(&opened.id, &shown, &new, step(n), until).await.unwrap();
        assert!(matches!(rotation, Rotation::Rotated(_)), "{n}");
    }
    let used = format!("{{{}:sessions}}:used:s", world.prefix);
    assert_eq!(world.ask::<u64>(&["ZCARD", &used]), 1_000);

    // A day's pause of a session that lasts two: what was handed out before has expired by now.
    let (long, day) = (Duration::from_secs(2 * 86_400), Duration::from_secs(86_400));
    world.redis.rotate(&opened.id, "h1050", "day", step(1_050), step(1_050) + long).await.unwrap();
    world.redis.rotate(&opened.id, "day", "next", step(1_050) + day, step(1_050) + long).await.unwrap();
    assert_eq!(world.ask::<Vec<String>>(&["ZRANGE", &used, "0", "-1"]), ["day"]);
}
