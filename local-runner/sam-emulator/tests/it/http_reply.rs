//! Replies of functions as answers of the HTTP API: shapes, failures, CORS.

use std::time::Duration;

use expect_test::{Expect, expect};

use crate::world::{Answer, World};

const POST: &str = "POST /orders\nContent-Type: application/json";

#[track_caller]
fn check(answer: &Answer, expected: &Expect) {
    assert_eq!(answer.header("apigw-requestid").len(), 16);
    expected.assert_eq(&answer.stable());
}

#[tokio::test]
async fn a_structured_reply_becomes_the_answer() {
    let world = World::start().await;
    let full = r#"{"statusCode":201,"headers":{"X-A":"1","n":2,"Set-Cookie":"c=3","Connection":"x",
        "Content-Length":"9"},"cookies":["a=1","b=2"],"body":"made","multiValueHeaders":{"x-m":["1"]}}"#;
    check(
        &world.send(POST, full).await,
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
        &world.send(POST, base64).await,
        &expect![[r#"
        200
        content-type: image/x
        content-length: 3

        png
    "#]],
    );
    check(
        &world.send(POST, r#"{"statusCode":204}"#).await,
        &expect![[r#"
        204
        content-type: text/plain; charset=utf-8


    "#]],
    );
}

#[tokio::test]
async fn any_other_json_is_the_body_itself() {
    let world = World::start().await;
    for (reply, body) in [
        (r#"{"ok":[1, 2]}"#, r#"{"ok":[1, 2]}"#),
        (r#"{"statusCode":null,"body":1}"#, r#"{"statusCode":null,"body":1}"#),
        ("[1]", "[1]"),
        ("7", "7"),
        (r#""text""#, "text"),
        ("nothing", "null"),
    ] {
        let answer = world.send(POST, reply).await;
        let kind = answer.header("content-type");
        assert_eq!((answer.status, kind, answer.body.as_str()), (200, "application/json", body));
    }
}

#[tokio::test]
async fn what_has_no_good_shape_is_an_internal_error() {
    let world = World::start().await;
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
        "not json",
        "fail",
        "panic",
        "large",
    ] {
        let answer = world.send(POST, reply).await;
        let expected = (500, "application/json", r#"{"message":"Internal Server Error"}"#);
        assert_eq!((answer.status, answer.header("content-type"), answer.body.as_str()), expected, "{reply}");
    }
}

#[tokio::test]
async fn late_for_the_route_is_unavailable() {
    let world = World::start().await;
    let answer = world.send(POST, "hang").await;
    assert_eq!((answer.status, answer.body.as_str()), (503, r#"{"message":"Service Unavailable"}"#));
}

#[tokio::test]
async fn the_functions_own_timeout_is_an_internal_error() {
    let mut functions = crate::world::functions();
    functions.add("files", |_, _| std::future::pending());
    let world = World::with(functions).await;
    let answer = world.send("GET /files/x", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (500, r#"{"message":"Internal Server Error"}"#));
}

#[tokio::test]
async fn throttled_is_unavailable() {
    let world = World::start().await;
    let text = "POST /orders\nContent-Type: text/plain";
    let (first, second) = tokio::join!(world.send(text, "slow"), async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        world.send(text, "slow").await
    });
    assert_eq!((first.status, second.status), (201, 503));
    assert_eq!(second.body, r#"{"message":"Service Unavailable"}"#);
}

#[tokio::test]
async fn head_goes_through_and_loses_its_body() {
    let world = World::start().await;
    let answer = world.send("HEAD /files/x", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert!(answer.header("content-length").parse::<usize>().unwrap() > 100);
    assert_eq!(world.send("HEAD /orders/7", "").await.status, 404);
}

#[tokio::test]
async fn the_gateway_speaks_cors_for_its_functions() {
    let world = World::start().await;
    let preflight = "OPTIONS /orders\nAccess-Control-Request-Method: POST\nOrigin:";
    check(
        &world.send(&format!("{preflight} https://shop.example"), "").await,
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
        &world.send(&format!("{preflight} https://evil.example"), "").await,
        &expect![[r#"
        204


    "#]],
    );
    check(
        &world.send("OPTIONS /nowhere", "").await,
        &expect![[r#"
        204


    "#]],
    );
    let own =
        r#"{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"*","Access-Control-Max-Age":"1"}}"#;
    let post = "POST /orders\nContent-Type: text/plain";
    check(
        &world.send(&format!("{post}\nOrigin: https://admin.example"), own).await,
        &expect![[r#"
        200
        content-type: text/plain; charset=utf-8
        access-control-allow-origin: https://admin.example
        access-control-expose-headers: x-count
        content-length: 0


    "#]],
    );
    check(
        &world.send(post, own).await,
        &expect![[r#"
        200
        content-type: text/plain; charset=utf-8
        content-length: 0


    "#]],
    );
    let lost = world.send("GET /nowhere\nOrigin: https://shop.example", "").await;
    assert_eq!(lost.header("access-control-allow-origin"), "https://shop.example");
}
