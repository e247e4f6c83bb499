//! The Invoke API: the request as Lambda must see it, its signature, and how each answer reads.

use std::time::{Duration, Instant, SystemTime};

use adapter_api_gateway::{Gateway, Lambda};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use expect_test::{Expect, expect};
use http::Request;
use serde_json::json;
use shared::error::StoreError;
use shared::ports::Functions;
use shared::time::Time;
use test_support::scripted_server::{ScriptedReply, ScriptedServer};

use crate::aws::{KEYS, env_of, error, html, status};

/// The promised three seconds, and what a busy machine adds.
const BOUND: Duration = Duration::from_millis(4_500);

async fn check(script: &[ScriptedReply], expected: Expect) {
    let server = ScriptedServer::start(script).await;
    let gateway = Gateway::from_env(&mut env_of(&server, &[]));
    let told = match gateway.start("ws-open", &json!({})).await {
        Err(StoreError::Down(failure)) => format!("{failure}: {}", failure.cause),
        other => format!("{other:?}"),
    };
    expected.assert_eq(&format!("{told} ({} asked)", server.requests().len()));
}

#[tokio::test]
async fn answers_read_as_the_port_says() {
    check(&[status(202)], expect!["Ok(()) (1 asked)"]).await;
    check(
        &[error(404, "ResourceNotFoundException")],
        expect!["lambda is unavailable: answered 404 ResourceNotFoundException (1 asked)"],
    )
    .await;
    check(&[html(413)], expect!["lambda is unavailable: answered 413 without a reason (1 asked)"]).await;
    check(
        &[error(429, "TooManyRequestsException")],
        expect!["lambda is unavailable: answered 429 TooManyRequestsException (2 asked)"],
    )
    .await;
    check(&[error(429, "TooManyRequestsException"), status(202)], expect!["Ok(()) (2 asked)"]).await;
    check(&[error(500, "ServiceException"), status(202)], expect!["Ok(()) (2 asked)"]).await;
    check(&[ScriptedReply::Disconnect, status(202)], expect!["Ok(()) (2 asked)"]).await;
}

/// The one request that starting `function` leads to.
async fn asked(function: &str, more: &[(&str, &str)]) -> Request<Bytes> {
    let server = ScriptedServer::start(&[status(202)]).await;
    let mut env = env_of(&server, &[&KEYS, more].concat());
    Gateway::from_env(&mut env).start(function, &json!({ "connectionId": "Zb3xcLPEAcHA=" })).await.unwrap();
    env.finish().unwrap();
    server.requests().remove(0)
}

#[tokio::test]
async fn an_event_is_queued_and_not_waited_for() {
    let request = asked("ws-open", &[]).await;
    assert_eq!(request.method(), "POST");
    assert_eq!(request.headers()["x-amz-invocation-type"], "Event");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.body(), r#"{"connectionId":"Zb3xcLPEAcHA="}"#);
}

#[tokio::test]
async fn a_name_is_prefixed_and_one_segment() {
    for (name, prefix, path) in [
        ("ws-open", "", "ws-open"),
        ("ws-open", "ulak-prod-", "ulak-prod-ws-open"),
        ("ws-open:live", "", "ws-open%3Alive"),
        ("../x y/ş?", "", "..%2Fx%20y%2F%C5%9F%3F"),
    ] {
        let request = asked(name, &[("FUNCTION_NAME_PREFIX", prefix)]).await;
        assert_eq!(request.uri().to_string(), format!("/2015-03-31/functions/{path}/invocations"));
    }
}

#[tokio::test]
async fn the_signature_is_right_for_what_arrives() {
    for name in ["ws-open", "ws-open:live"] {
        let request = asked(name, &[]).await;
        assert_eq!(request.headers()["authorization"].to_str().unwrap(), signature(&request));
    }
}

/// The `authorization` that Lambda computes from what it sees.
fn signature(seen: &Request<Bytes>) -> String {
    let header = |name: &str| seen.headers()[name].to_str().unwrap();
    let stamp = header("x-amz-date");
    let [date, time] = [&stamp[..8], &stamp[9..15]];
    let rfc = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    let millis = Time::parse(&rfc).unwrap().millis().try_into().unwrap();
    let keys = KEYS.map(|(_, value)| value.to_owned());
    let [region, id, secret, token] = keys;
    let identity = Credentials::new(id, secret, Some(token), None, "test").into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("lambda")
        .time(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let uri = format!("http://{}{}", header("host"), seen.uri());
    let headers = ["content-type", "x-amz-invocation-type"].map(|name| (name, header(name)));
    let body = SignableBody::Bytes(seen.body());
    let signable = SignableRequest::new("POST", uri, headers.into_iter(), body).unwrap();
    let mut again = Request::new(());
    sign(signable, &params).unwrap().into_parts().0.apply_to_request_http1x(&mut again);
    again.headers()["authorization"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn silence_costs_the_bound_and_no_more() {
    let server = ScriptedServer::start(&[ScriptedReply::Ignore]).await;
    let gateway = Gateway::from_env(&mut env_of(&server, &[]));
    let start = Instant::now();
    let answer = gateway.start("ws-open", &json!({})).await;
    assert!(matches!(&answer, Err(StoreError::Down(f)) if f.store == "lambda"), "{answer:?}");
    assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn who_only_starts_functions_needs_no_push_endpoint() {
    let server = ScriptedServer::start(&[status(202)]).await;
    let endpoint = env_of(&server, &[]).optional("PUSH_ENDPOINT").unwrap();
    let origin = endpoint.trim_end_matches("/live");
    for name in ["AWS_ENDPOINT_URL_LAMBDA", "LAMBDA_ENDPOINT"] {
        let mut env = crate::aws::env(&[(name, origin)]);
        Lambda::from_env(&mut env).start("ws-open", &json!({})).await.unwrap();
        env.finish().unwrap();
    }
    assert_eq!(server.requests().len(), 2);
}
