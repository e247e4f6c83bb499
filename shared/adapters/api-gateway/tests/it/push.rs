//! `@connections`: the requests, the result of each response, and the time limit of a call.

use std::time::{Duration, Instant};

use adapter_api_gateway::Gateway;
use expect_test::{Expect, expect};
use futures::future::join_all;
use shared::id::ConnectionId;
use shared::ports::{Push, PushError};
use test_support::scripted_server::{ScriptedReply, ScriptedServer};

use crate::aws::{KEYS, env_of, error, html, status};

/// The adapter's timeout of three seconds, plus slack for a busy machine.
const LIMIT: Duration = Duration::from_millis(4_500);

fn id() -> ConnectionId {
    ConnectionId::trusted("Zb3x/c+cLPEAcHA=")
}

/// Checks the result and the number of requests, which are the same for sending and for closing.
async fn check(script: &[ScriptedReply], expected: Expect) {
    let mut results = Vec::new();
    for close in [false, true] {
        let server = ScriptedServer::start(script).await;
        let gateway = Gateway::from_env(&mut env_of(&server, &[]));
        let answer = if close { gateway.close(&id()).await } else { gateway.send(&id(), "frame").await };
        let result = match answer {
            Ok(()) => "ok".to_owned(),
            Err(PushError::Failed(cause)) => format!("failed: {cause}"),
            Err(error) => format!("{error:?}"),
        };
        results.push(format!("{result} (requests: {})", server.requests().len()));
    }
    assert_eq!(results[0], results[1], "sending and closing differ");
    expected.assert_eq(&results[0]);
}

#[tokio::test]
async fn each_response_maps_to_the_ports_result() {
    let gone = error(410, "GoneException");
    check(&[status(200)], expect!["ok (requests: 1)"]).await;
    check(&[gone], expect!["Gone (requests: 1)"]).await;
    check(&[status(410)], expect!["Gone (requests: 1)"]).await;
    check(&[html(410)], expect!["Gone (requests: 1)"]).await;
    check(&[error(413, "PayloadTooLargeException")], expect!["TooLarge (requests: 1)"]).await;
    check(&[error(429, "LimitExceededException")], expect!["Busy (requests: 2)"]).await;
    check(
        &[error(403, "ForbiddenException")],
        expect!["failed: HTTP status 403 ForbiddenException (requests: 1)"],
    )
    .await;
    check(&[status(500)], expect!["failed: HTTP status 500 without an error type (requests: 2)"]).await;
}

#[tokio::test]
async fn a_call_is_tried_once_more_after_a_temporary_failure() {
    check(&[error(429, "LimitExceededException"), status(200)], expect!["ok (requests: 2)"]).await;
    check(&[status(503), status(200)], expect!["ok (requests: 2)"]).await;
    check(&[ScriptedReply::Disconnect, status(200)], expect!["ok (requests: 2)"]).await;
    check(&[status(502), error(410, "GoneException")], expect!["Gone (requests: 2)"]).await;
}

#[tokio::test]
async fn the_id_is_escaped_into_one_path_segment_and_the_frame_is_sent_unchanged() {
    let server = ScriptedServer::start(&[status(200)]).await;
    let gateway = Gateway::from_env(&mut env_of(&server, &KEYS));
    gateway.send(&id(), "42[\"merhaba\",\"ş\"]").await.unwrap();
    gateway.close(&id()).await.unwrap();
    let requests = server.requests();
    let lines: Vec<String> = requests.iter().map(|r| format!("{} {}", r.method(), r.uri())).collect();
    expect![[r#"
        POST /live/@connections/Zb3x%2Fc%2BcLPEAcHA%3D
        DELETE /live/@connections/Zb3x%2Fc%2BcLPEAcHA%3D"#]]
    .assert_eq(&lines.join("\n"));
    assert_eq!(requests[0].body(), "42[\"merhaba\",\"ş\"]");
    for request in &requests {
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        let authorization = header("authorization");
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{authorization}");
        assert!(authorization.contains("/eu-central-1/execute-api/aws4_request"), "{authorization}");
        assert_eq!(header("x-amz-security-token"), "session-token");
    }
}

#[tokio::test]
async fn a_push_times_out_within_the_limit_and_is_not_repeated_when_the_server_is_unresponsive() {
    let server = ScriptedServer::start(&[ScriptedReply::Ignore]).await;
    let gateway = Gateway::from_env(&mut env_of(&server, &[]));
    let start = Instant::now();
    let ids = [id(), id(), id()];
    for answer in join_all(ids.iter().map(|id| gateway.send(id, "frame"))).await {
        assert!(matches!(answer, Err(PushError::Failed(_))), "{answer:?}");
    }
    assert!(start.elapsed() < LIMIT, "took {:?}", start.elapsed());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_push_fails_at_once_when_nothing_listens() {
    assert_fails_at_once("http://127.0.0.1:1/live", "Connection refused").await;
}

#[tokio::test]
async fn no_frame_is_sent_when_an_https_endpoint_serves_plain_http() {
    let server = ScriptedServer::start(&[status(200)]).await;
    let plain = env_of(&server, &[]).optional("PUSH_ENDPOINT").unwrap();
    assert_fails_at_once(&plain.replace("http://", "https://"), "corrupt message").await;
    assert!(server.requests().is_empty());
}

async fn assert_fails_at_once(endpoint: &str, expected: &str) {
    let mut env = crate::aws::env(&[&KEYS, &[("PUSH_ENDPOINT", endpoint)][..]].concat());
    let gateway = Gateway::from_env(&mut env);
    let start = Instant::now();
    let Err(PushError::Failed(cause)) = gateway.send(&id(), "frame").await else {
        panic!("the frame was sent")
    };
    assert!(cause.to_string().contains(expected), "{cause}");
    assert!(start.elapsed() < Duration::from_millis(2_500), "took {:?}", start.elapsed());
}
