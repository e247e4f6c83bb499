//! How many processes a function has, and when they end.

use std::collections::BTreeSet;
use std::time::Duration;

use sam_emulator::invoke::{InvokeError, Invoker as _};
use sam_emulator::process::ProcessOptions;

use crate::bench::{Bench, eventually, is_alive};

const SLOW: &str = r#"{"sleep":300}"#;

#[tokio::test]
async fn calls_one_after_another_share_a_process_and_calls_at_once_do_not() {
    let bench = Bench::new(&[("echo", "")]).await;
    let first = bench.pid("echo").await;
    for _ in 0..20 {
        assert_eq!(bench.pid("echo").await, first);
    }
    let replies = futures::future::join_all((0..3).map(|_| bench.call("echo", SLOW))).await;
    let pids: BTreeSet<u64> =
        replies.into_iter().map(|reply| reply.unwrap()["pid"].as_u64().unwrap()).collect();
    assert_eq!(pids.len(), 3);
    assert!(pids.contains(&first));
}

#[tokio::test]
async fn calls_beyond_the_reserved_concurrency_are_throttled() {
    let bench = Bench::new(&[
        ("echo", "ReservedConcurrentExecutions: 2"),
        ("prints", "ReservedConcurrentExecutions: 0"),
    ])
    .await;
    let replies = futures::future::join_all((0..5).map(|_| bench.call("echo", SLOW))).await;
    let throttled = replies.iter().filter(|reply| matches!(reply, Err(InvokeError::Throttled))).count();
    assert_eq!((throttled, replies.iter().filter(|reply| reply.is_ok()).count()), (3, 2));
    // A caller that has its reply can call again at once.
    for _ in 0..5 {
        bench.call("echo", "{}").await.unwrap();
    }
    assert_eq!(bench.call("prints", "{}").await, Err(InvokeError::Throttled));
    assert_eq!(bench.call("other", "{}").await, Err(InvokeError::NotFound("other".to_owned())));
}

#[tokio::test]
async fn calls_beyond_the_limit_of_this_machine_wait() {
    let options = ProcessOptions { max_instances: 2, ..ProcessOptions::default() };
    let bench = Bench::with(&[("echo", "")], options).await;
    let replies = futures::future::join_all((0..6).map(|_| bench.call("echo", r#"{"sleep":50}"#))).await;
    let pids: BTreeSet<u64> =
        replies.into_iter().map(|reply| reply.unwrap()["pid"].as_u64().unwrap()).collect();
    assert_eq!(pids.len(), 2);
}

#[tokio::test]
async fn an_idle_process_ends_and_a_killed_one_is_replaced() {
    let options = ProcessOptions { idle_timeout: Duration::from_millis(200), ..ProcessOptions::default() };
    let bench = Bench::with(&[("echo", "")], options).await;
    let first = bench.pid("echo").await;
    eventually("the idle process has ended", || !is_alive(first)).await;
    let second = bench.pid("echo").await;
    assert_ne!(first, second);

    let bench = Bench::new(&[("echo", "")]).await;
    let first = bench.pid("echo").await;
    let kill = std::process::Command::new("kill").args(["-9", &first.to_string()]).status().unwrap();
    assert!(kill.success());
    eventually("the process has ended", || !is_alive(first)).await;
    assert_ne!(bench.pid("echo").await, first);
}

#[tokio::test]
async fn draining_lets_invocations_finish_and_ends_every_process() {
    let bench = Bench::new(&[("echo", ""), ("prints", "")]).await;
    bench.call("prints", "{}").await.unwrap();
    let (reply, ()) = tokio::join!(bench.call("echo", SLOW), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        bench.processes.drain().await;
    });
    let pid = reply.unwrap()["pid"].as_u64().unwrap();
    assert!(!is_alive(pid));
    assert!(bench.call("echo", "{}").await.unwrap_err().to_string().contains("shutting down"));
}
