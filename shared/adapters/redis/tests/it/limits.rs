//! Rate limits under a race, and that their counters go away.

use std::time::Duration;

use futures::future::join_all;
use shared::ports::{RateLimit, RateLimits};

use crate::world::{NOW, World};

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_at_once_as_many_pass_as_are_allowed() {
    let Some(world) = World::new() else { return };
    let limit = RateLimit { count: 10, window: Duration::from_secs(60) };
    let answers = join_all((0..50).map(|_| world.redis.take("login:ada", limit, NOW))).await;
    assert_eq!(answers.into_iter().filter(|answer| answer.as_ref().unwrap().is_ok()).count(), 10);

    let keys = world.keys();
    assert_eq!(keys, [format!("{}:rate:login:ada:1699999980000", world.prefix)]);
    let left: i64 = world.ask(&["PTTL", &keys[0]]);
    assert!((1..=65_000).contains(&left), "{left} ms");
}
