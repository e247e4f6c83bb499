//! The Invoke API: the request that Lambda receives, its signature, and the result of each response.

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

/// The adapter's timeout of three seconds, plus slack for a busy machine.
const LIMIT: Duration = Duration::from_millis(4_500);

async fn check(script: &[ScriptedReply], expected: Expect) {
    let server = ScriptedServer::start(script).await;
    let gateway = Gateway::from_env(&mut env_of(&server, &[]));
    let result = match gateway.start("ws-open", &json!({})).await {
        Err(StoreError::Down(failure)) => format!("{failure}: {}", failure.cause),
        other => format!("{other:?}"),
    };
    expected.assert_eq(&format!("{result} (requests: {})", server.requests().len()));
}

#[tokio::test]
async fn each_response_maps_to_the_ports_result() {
    check(&[status(202)], expect!["Ok(()) (requests: 1)"]).await;
    check(
        &[error(404, "ResourceNotFoundException")],
        expect!["lambda is unavailable: HTTP status 404 ResourceNotFoundException (requests: 1)"],
    )
    .await;
    check(
        &[html(413)],
        expect!["lambda is unavailable: HTTP status 413 without an error type (requests: 1)"],
    )
    .await;
    check(
        &[error(429, "TooManyRequestsException")],
        expect!["lambda is unavailable: HTTP status 429 TooManyRequestsException (requests: 2)"],
    )
    .await;
    check(&[error(429, "TooManyRequestsException"), status(202)], expect!["Ok(()) (requests: 2)"]).await;
    check(&[error(500, "ServiceException"), status(202)], expect!["Ok(()) (requests: 2)"]).await;
    check(&[ScriptedReply::Disconnect, status(202)], expect!["Ok(()) (requests: 2)"]).await;
}

/// The request that starts `function`, with more variables in the environment.
async fn start_request(function: &str, more: &[(&str, &str)]) -> Request<Bytes> {
    let server = ScriptedServer::start(&[status(202)]).await;
    let mut env = env_of(&server, &[&KEYS, more].concat());
    Gateway::from_env(&mut env).start(function, &json!({ "connectionId": "Zb3xcLPEAcHA=" })).await.unwrap();
    env.finish().unwrap();
    server.requests().remove(0)
}

#[tokio::test]
async fn an_event_is_sent_for_asynchronous_invocation() {
    let request = start_request("ws-open", &[]).await;
    assert_eq!(request.method(), "POST");
    assert_eq!(request.headers()["x-amz-invocation-type"], "Event");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.body(), r#"{"connectionId":"Zb3xcLPEAcHA="}"#);
}

#[tokio::test]
async fn a_function_name_is_prefixed_and_escaped_into_one_path_segment() {
    for (name, prefix, path) in [
        ("ws-open", "", "ws-open"),
        ("ws-open", "ulak-prod-", "ulak-prod-ws-open"),
        ("ws-open:live", "", "ws-open%3Alive"),
        ("../x y/ş?", "", "..%2Fx%20y%2F%C5%9F%3F"),
    ] {
        let request = start_request(name, &[("FUNCTION_NAME_PREFIX", prefix)]).await;
        assert_eq!(request.uri().to_string(), format!("/2015-03-31/functions/{path}/invocations"));
    }
}

#[tokio::test]
async fn the_signature_matches_the_received_request() {
    for name in ["ws-open", "ws-open:live"] {
        let request = start_request(name, &[]).await;
        assert_eq!(request.headers()["authorization"].to_str().unwrap(), signature(&request));
    }
}

/// The `authorization` header that Lambda computes for the request it receives.
fn signature(received: &Request<Bytes>) -> String {
    let header = |name: &str| received.headers()[name].to_str().unwrap();
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
    let uri = format!("http://{}{}", header("host"), received.uri());
    let headers = ["content-type", "x-amz-invocation-type"].map(|name| (name, header(name)));
    let body = SignableBody::Bytes(received.body());
    let signable = SignableRequest::new("POST", uri, headers.into_iter(), body).unwrap();
    let mut signed = Request::new(());
    sign(signable, &params).unwrap().into_parts().0.apply_to_request_http1x(&mut signed);
    signed.headers()["authorization"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_unresponsive_server_times_out_within_the_limit_and_is_not_called_again() {
    let server = ScriptedServer::start(&[ScriptedReply::Ignore]).await;
    let gateway = Gateway::from_env(&mut env_of(&server, &[]));
    let start = Instant::now();
    let answer = gateway.start("ws-open", &json!({})).await;
    assert!(matches!(&answer, Err(StoreError::Down(f)) if f.store == "lambda"), "{answer:?}");
    assert!(start.elapsed() < LIMIT, "took {:?}", start.elapsed());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn lambda_needs_no_push_endpoint() {
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
