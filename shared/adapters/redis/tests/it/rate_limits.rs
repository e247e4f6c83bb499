//! Rate limits under concurrency, and the expiry of their counters.

use std::time::Duration;

use futures::future::join_all;
use shared::ports::{RateLimit, RateLimits};

use crate::test_redis::{NOW, TestRedis};

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_permits_of_a_window_are_granted_when_fifty_calls_race() {
    let Some(server) = TestRedis::new() else { return };
    let limit = RateLimit { count: 10, window: Duration::from_secs(60) };
    let answers = join_all((0..50).map(|_| server.redis.take("login:ada", limit, NOW))).await;
    assert_eq!(answers.into_iter().filter(|answer| answer.as_ref().unwrap().is_ok()).count(), 10);

    let keys = server.keys();
    assert_eq!(keys, [format!("{}:rate:login:ada:1699999980000", server.prefix)]);
    let ttl: i64 = server.command(&["PTTL", &keys[0]]);
    assert!((1..=65_000).contains(&ttl), "{ttl} ms");
}
