//! `@connections`: what is sent, how each answer reads, and that no call outlasts its bound.

use std::time::{Duration, Instant};

use adapter_api_gateway::Gateway;
use expect_test::{Expect, expect};
use futures::future::join_all;
use shared::id::ConnectionId;
use shared::ports::{Push, PushError};
use test_support::scripted_server::{ScriptedReply, ScriptedServer};

use crate::aws::{KEYS, env_of, error, html, status};

/// The promised three seconds, and what a busy machine adds.
const BOUND: Duration = Duration::from_millis(4_500);

fn id() -> ConnectionId {
    ConnectionId::trusted("Zb3x/c+cLPEAcHA=")
}

/// How an answer reads, to sending and to closing alike, and how often each was tried.
async fn check(script: &[ScriptedReply], expected: Expect) {
    let mut told = Vec::new();
    for close in [false, true] {
        let server = ScriptedServer::start(script).await;
        let gateway = Gateway::from_env(&mut env_of(&server, &[]));
        let answer = if close { gateway.close(&id()).await } else { gateway.send(&id(), "frame").await };
        let told_as = match answer {
            Ok(()) => "ok".to_owned(),
            Err(PushError::Failed(cause)) => format!("failed, {cause}"),
            Err(error) => format!("{error:?}"),
        };
        told.push(format!("{told_as} ({} asked)", server.requests().len()));
    }
    assert_eq!(told[0], told[1], "sending and closing read alike");
    expected.assert_eq(&told[0]);
}

#[tokio::test]
async fn answers_read_as_the_port_says() {
    let gone = error(410, "GoneException");
    check(&[status(200)], expect!["ok (1 asked)"]).await;
    check(&[gone], expect!["Gone (1 asked)"]).await;
    check(&[status(410)], expect!["Gone (1 asked)"]).await;
    check(&[html(410)], expect!["Gone (1 asked)"]).await;
    check(&[error(413, "PayloadTooLargeException")], expect!["TooLarge (1 asked)"]).await;
    check(&[error(429, "LimitExceededException")], expect!["Busy (2 asked)"]).await;
    check(&[error(403, "ForbiddenException")], expect!["failed, answered 403 ForbiddenException (1 asked)"])
        .await;
    check(&[status(500)], expect!["failed, answered 500 without a reason (2 asked)"]).await;
}

#[tokio::test]
async fn what_passes_is_tried_once_more() {
    check(&[error(429, "LimitExceededException"), status(200)], expect!["ok (2 asked)"]).await;
    check(&[status(503), status(200)], expect!["ok (2 asked)"]).await;
    check(&[ScriptedReply::Disconnect, status(200)], expect!["ok (2 asked)"]).await;
    check(&[status(502), error(410, "GoneException")], expect!["Gone (2 asked)"]).await;
}

#[tokio::test]
async fn the_id_is_one_segment_and_the_frame_arrives_as_it_is() {
    let server = ScriptedServer::start(&[status(200)]).await;
    let gateway = Gateway::from_env(&mut env_of(&server, &KEYS));
    gateway.send(&id(), "42[\"merhaba\",\"ş\"]").await.unwrap();
    gateway.close(&id()).await.unwrap();
    let asked = server.requests();
    let lines: Vec<String> = asked.iter().map(|r| format!("{} {}", r.method(), r.uri())).collect();
    expect![[r#"
        POST /live/@connections/Zb3x%2Fc%2BcLPEAcHA%3D
        DELETE /live/@connections/Zb3x%2Fc%2BcLPEAcHA%3D"#]]
    .assert_eq(&lines.join("\n"));
    assert_eq!(asked[0].body(), "42[\"merhaba\",\"ş\"]");
    for request in &asked {
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        let signed = header("authorization");
        assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signed}");
        assert!(signed.contains("/eu-central-1/execute-api/aws4_request"), "{signed}");
        assert_eq!(header("x-amz-security-token"), "session-token");
    }
}

#[tokio::test]
async fn silence_costs_the_bound_and_is_not_asked_again() {
    let server = ScriptedServer::start(&[ScriptedReply::Ignore]).await;
    let gateway = Gateway::from_env(&mut env_of(&server, &[]));
    let start = Instant::now();
    let ids = [id(), id(), id()];
    for answer in join_all(ids.iter().map(|id| gateway.send(id, "frame"))).await {
        assert!(matches!(answer, Err(PushError::Failed(_))), "{answer:?}");
    }
    assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn nobody_at_home_is_a_failure_at_once() {
    fails_at_once("http://127.0.0.1:1/live", "Connection refused").await;
}

#[tokio::test]
async fn https_is_never_spoken_in_the_clear() {
    let server = ScriptedServer::start(&[status(200)]).await;
    let plain = env_of(&server, &[]).optional("PUSH_ENDPOINT").unwrap();
    fails_at_once(&plain.replace("http://", "https://"), "corrupt message").await;
    assert!(server.requests().is_empty());
}

async fn fails_at_once(endpoint: &str, why: &str) {
    let mut env = crate::aws::env(&[&KEYS, &[("PUSH_ENDPOINT", endpoint)][..]].concat());
    let gateway = Gateway::from_env(&mut env);
    let start = Instant::now();
    let Err(PushError::Failed(cause)) = gateway.send(&id(), "frame").await else { panic!("it was sent") };
    assert!(cause.to_string().contains(why), "{cause}");
    assert!(start.elapsed() < Duration::from_millis(2_500), "took {:?}", start.elapsed());
}
