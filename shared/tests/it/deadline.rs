//! The deadline of an invocation, through the entry points.

use std::time::Duration;

use serde_json::{Value, json};
use shared::deadline;
use shared::error::Error;
use shared::lambda::http::{Reply, http};
use test_support::fixture::{FunctionFixture, TestRequest, http_event};

/// A timeout of ten seconds from now, in milliseconds since the Unix epoch.
fn in_ten_seconds() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from((since + Duration::from_secs(10)).as_millis()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn request_that_takes_too_long_is_answered_with_503_before_the_platform_stops_it() {
    let entry = http(|_| async {
        assert!(deadline::remaining().is_some_and(|left| left > Duration::from_secs(9)));
        tokio::time::sleep(Duration::from_secs(60)).await;
        Reply::ok(json!({})).map_err(|_| Error::InvalidJson)
    });
    let fixture = FunctionFixture::new();
    let event = http_event(&fixture.request(&TestRequest::new("GET /api/slow"))).to_string();
    let start = tokio::time::Instant::now();
    let reply = shared::lambda::invoke(&entry, "a-request".to_owned(), in_ten_seconds(), event.as_bytes());
    let reply: Value = serde_json::from_str(&reply.await.unwrap()).unwrap();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(reply["statusCode"], 503, "{reply}");
    let body: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["error"]["code"], "UNAVAILABLE");
}
