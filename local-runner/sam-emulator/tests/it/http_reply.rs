//! Replies of functions as responses of the HTTP API: formats, failures, CORS.

use std::time::Duration;

use expect_test::{Expect, expect};

use crate::test_server::{TestResponse, TestServer};

const POST: &str = "POST /orders\nContent-Type: application/json";

#[track_caller]
fn check(response: &TestResponse, expected: &Expect) {
    assert_eq!(response.header("apigw-requestid").len(), 16);
    expected.assert_eq(&response.stable());
}

#[tokio::test]
async fn a_reply_with_a_status_becomes_status_headers_cookies_and_body() {
    let server = TestServer::start().await;
    let full = r#"{"statusCode":201,"headers":{"X-A":"1","n":2,"Set-Cookie":"c=3","Connection":"x",
        "Content-Length":"9"},"cookies":["a=1","b=2"],"body":"made","multiValueHeaders":{"x-m":["1"]}}"#;
    check(
        &server.send(POST, full).await,
        &expect![[r#"
        201
        set-cookie: a=1
        set-cookie: b=2
        set-cookie: c=3
        x-a: 1
        n: 2
        content-type: text/plain; charset=utf-8
        content-length: 4

        made
    "#]],
    );
    let base64 =
        r#"{"statusCode":"200","headers":{"content-type":"image/x"},"body":"cG5n","isBase64Encoded":true}"#;
    check(
        &server.send(POST, base64).await,
        &expect![[r#"
        200
        content-type: image/x
        content-length: 3

        png
    "#]],
    );
    check(
        &server.send(POST, r#"{"statusCode":204}"#).await,
        &expect![[r#"
        204
        content-type: text/plain; charset=utf-8


    "#]],
    );
}

#[tokio::test]
async fn a_reply_without_a_status_becomes_a_json_body_with_status_200() {
    let server = TestServer::start().await;
    for (reply, body) in [
        (r#"{"ok":[1, 2]}"#, r#"{"ok":[1, 2]}"#),
        (r#"{"statusCode":null,"body":1}"#, r#"{"statusCode":null,"body":1}"#),
        ("[1]", "[1]"),
        ("7", "7"),
        (r#""text""#, "text"),
        ("nothing", "null"),
        ("not json", "not json"),
        (r#"{"statusCode":200,"body":"#, r#"{"statusCode":200,"body":"#),
        ("{} {}", "{} {}"),
    ] {
        let response = server.send(POST, reply).await;
        let kind = response.header("content-type");
        assert_eq!((response.status, kind, response.body.as_str()), (200, "application/json", body));
    }
}

#[tokio::test]
async fn an_invalid_reply_or_a_failed_function_is_500() {
    let server = TestServer::start().await;
    for reply in [
        r#"{"statusCode":200,"body":{"not":"text"}}"#,
        r#"{"statusCode":99}"#,
        r#"{"statusCode":1e9}"#,
        r#"{"statusCode":"abc"}"#,
        r#"{"statusCode":200,"cookies":"a=1"}"#,
        r#"{"statusCode":200,"body":"%%","isBase64Encoded":true}"#,
        r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
        r#"{"statusCode":200,"headers":{"a":"b\r\nc: d"}}"#,
        r#"{"statusCode":200,"headers":{"a":["b"]}}"#,
        "fail",
        "panic",
        "large",
    ] {
        let response = server.send(POST, reply).await;
        let expected = (500, "application/json", r#"{"message":"Internal Server Error"}"#);
        assert_eq!(
            (response.status, response.header("content-type"), response.body.as_str()),
            expected,
            "{reply}"
        );
    }
}

#[tokio::test]
async fn a_route_that_times_out_is_503() {
    let server = TestServer::start().await;
    let response = server.send(POST, "hang").await;
    assert_eq!((response.status, response.body.as_str()), (503, r#"{"message":"Service Unavailable"}"#));
}

#[tokio::test]
async fn a_function_that_times_out_is_500() {
    let mut functions = crate::test_server::functions();
    functions.add("files", |_, _| std::future::pending());
    let server = TestServer::with(functions).await;
    let response = server.send("GET /files/x", "").await;
    assert_eq!((response.status, response.body.as_str()), (500, r#"{"message":"Internal Server Error"}"#));
}

#[tokio::test]
async fn a_throttled_function_is_503() {
    let server = TestServer::start().await;
    let text = "POST /orders\nContent-Type: text/plain";
    let (first, second) = tokio::join!(server.send(text, "slow"), async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        server.send(text, "slow").await
    });
    assert_eq!((first.status, second.status), (201, 503));
    assert_eq!(second.body, r#"{"message":"Service Unavailable"}"#);
}

#[tokio::test]
async fn a_head_request_has_the_headers_of_its_route_and_no_body() {
    let server = TestServer::start().await;
    let response = server.send("HEAD /files/x", "").await;
    assert_eq!((response.status, response.body.as_str()), (200, ""));
    assert!(response.header("content-length").parse::<usize>().unwrap() > 100);
    assert_eq!(server.send("HEAD /orders/7", "").await.status, 404);
}

#[tokio::test]
async fn the_gateway_answers_preflights_and_replaces_cors_headers() {
    let server = TestServer::start().await;
    let preflight = "OPTIONS /orders\nAccess-Control-Request-Method: POST\nOrigin:";
    check(
        &server.send(&format!("{preflight} https://shop.example"), "").await,
        &expect![[r#"
        204
        access-control-allow-origin: https://shop.example
        access-control-expose-headers: x-count
        access-control-allow-methods: GET,POST
        access-control-allow-headers: content-type
        access-control-max-age: 600


    "#]],
    );
    check(
        &server.send(&format!("{preflight} https://evil.example"), "").await,
        &expect![[r#"
        204


    "#]],
    );
    check(
        &server.send("OPTIONS /nowhere", "").await,
        &expect![[r#"
        204


    "#]],
    );
    let own =
        r#"{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"*","Access-Control-Max-Age":"1"}}"#;
    let post = "POST /orders\nContent-Type: text/plain";
    check(
        &server.send(&format!("{post}\nOrigin: https://admin.example"), own).await,
        &expect![[r#"
        200
        content-type: text/plain; charset=utf-8
        access-control-allow-origin: https://admin.example
        access-control-expose-headers: x-count
        content-length: 0


    "#]],
    );
    check(
        &server.send(post, own).await,
        &expect![[r#"
        200
        content-type: text/plain; charset=utf-8
        content-length: 0


    "#]],
    );
    let not_found = server.send("GET /nowhere\nOrigin: https://shop.example", "").await;
    assert_eq!(not_found.header("access-control-allow-origin"), "https://shop.example");
}

#[tokio::test]
async fn a_format_1_reply_sends_the_values_of_both_header_maps() {
    let mut functions = crate::test_server::functions();
    functions.add("files", |_, _| async {
        let reply = r#"{"statusCode":200,"headers":{"Combined":"single","both":"2","x-one":"1"},
            "multiValueHeaders":{"combined":["a","b"],"both":["1","2"],"set-cookie":["c=1","d=2"]},"body":"made"}"#;
        Ok(bytes::Bytes::from_static(reply.as_bytes()))
    });
    let server = TestServer::with(functions).await;
    let response = server.send("GET /old", "").await;
    assert_eq!(response.all("combined"), ["single", "a", "b"]);
    assert_eq!(response.all("both"), ["1", "2"], "a value in both maps is sent once");
    assert_eq!(response.all("x-one"), ["1"]);
    assert_eq!(response.all("set-cookie"), ["c=1", "d=2"]);
}
