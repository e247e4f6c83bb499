//! The HTTP API over real HTTP: events, routes and limits, compared with the formats of AWS.

use std::time::Duration;

use expect_test::expect;
use serde_json::{Value, json};

use crate::test_server::TestServer;

/// The event without the values that differ from run to run.
fn stable(mut event: Value, server: &TestServer) -> String {
    let port = server.address.port().to_string();
    assert_eq!(event["headers"]["x-forwarded-port"], json!(port));
    event["headers"]["x-forwarded-port"] = json!("PORT");
    assert!(event["headers"]["x-amzn-trace-id"].as_str().unwrap().starts_with("Root=1-"));
    event["headers"]["x-amzn-trace-id"] = json!("TRACE");
    let context = &mut event["requestContext"];
    assert!(context["timeEpoch"].as_i64().unwrap() > 1_700_000_000_000);
    context["timeEpoch"] = json!(0);
    context["time"] = json!("TIME");
    assert_eq!(context["requestId"].as_str().unwrap().len(), 16);
    context["requestId"] = json!("ID");
    format!("{event:#}\n")
}

#[tokio::test]
async fn a_request_becomes_an_event_of_payload_format_2() {
    let server = TestServer::start().await;
    let head = "GET /orders/7%20a?b=1&a=2&b=%C3%BC+x&flag\nUser-Agent: test\nX-Tag: 1\nx-tag: 2\n\
        Cookie: k=v; k2=v2\nTE: trailers\nX-Forwarded-For: 10.0.0.1\nOrigin: https://evil.example";
    let response = server.send(head, "").await;
    assert_eq!((response.status, response.header("content-type")), (200, "application/json"));
    assert_eq!(response.header("apigw-requestid"), response.json()["requestContext"]["requestId"]);
    expect![[r#"
        {
          "cookies": [
            "k=v",
            "k2=v2"
          ],
          "headers": {
            "content-length": "0",
            "host": "shop.test:80",
            "origin": "https://evil.example",
            "user-agent": "test",
            "x-amzn-trace-id": "TRACE",
            "x-forwarded-for": "10.0.0.1, 127.0.0.1",
            "x-forwarded-port": "PORT",
            "x-forwarded-proto": "http",
            "x-tag": "1,2"
          },
          "isBase64Encoded": false,
          "pathParameters": {
            "id": "7 a"
          },
          "queryStringParameters": {
            "a": "2",
            "b": "1,ü x",
            "flag": ""
          },
          "rawPath": "/orders/7 a",
          "rawQueryString": "b=1&a=2&b=%C3%BC+x&flag",
          "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "shop.test",
            "domainPrefix": "shop",
            "http": {
              "method": "GET",
              "path": "/orders/7 a",
              "protocol": "HTTP/1.1",
              "sourceIp": "127.0.0.1",
              "userAgent": "test"
            },
            "requestId": "ID",
            "routeKey": "GET /orders/{id}",
            "stage": "$default",
            "time": "TIME",
            "timeEpoch": 0
          },
          "routeKey": "GET /orders/{id}",
          "version": "2.0"
        }
    "#]]
    .assert_eq(&stable(response.json(), &server));
}

/// Headers in their usual case, the path as sent and decoded, and every field of the recorded context.
#[tokio::test]
async fn a_request_becomes_an_event_of_payload_format_1_as_recorded_from_aws() {
    let server = TestServer::start().await;
    let head = "GET /old%2f?a=1&a=2\nCookie: k=v\nX-Tag: 1\nX-Tag: 2\nX-Forwarded-For: 10.0.0.1";
    let mut event = server.send(head, "").await.json();
    let context = &mut event["requestContext"];
    assert_eq!(context["extendedRequestId"], context["requestId"]);
    for name in ["extendedRequestId", "requestId", "requestTime", "requestTimeEpoch"] {
        context[name] = json!("VARIES");
    }
    for map in ["headers", "multiValueHeaders"] {
        event[map]
            .as_object_mut()
            .unwrap()
            .retain(|name, _| name != "X-Amzn-Trace-Id" && name != "X-Forwarded-Port");
    }
    expect![[r#"
        {
          "body": null,
          "headers": {
            "Content-Length": "0",
            "Cookie": "k=v",
            "Host": "shop.test:80",
            "X-Forwarded-For": "10.0.0.1, 127.0.0.1",
            "X-Forwarded-Proto": "http",
            "X-Tag": "2"
          },
          "httpMethod": "GET",
          "isBase64Encoded": false,
          "multiValueHeaders": {
            "Content-Length": [
              "0"
            ],
            "Cookie": [
              "k=v"
            ],
            "Host": [
              "shop.test:80"
            ],
            "X-Forwarded-For": [
              "10.0.0.1, 127.0.0.1"
            ],
            "X-Forwarded-Proto": [
              "http"
            ],
            "X-Tag": [
              "1",
              "2"
            ]
          },
          "multiValueQueryStringParameters": {
            "a": [
              "1",
              "2"
            ]
          },
          "path": "/old%2f",
          "pathParameters": null,
          "queryStringParameters": {
            "a": "2"
          },
          "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "shop.test",
            "domainPrefix": "shop",
            "extendedRequestId": "VARIES",
            "httpMethod": "GET",
            "identity": {
              "accessKey": null,
              "accountId": null,
              "caller": null,
              "cognitoAuthenticationProvider": null,
              "cognitoAuthenticationType": null,
              "cognitoIdentityId": null,
              "cognitoIdentityPoolId": null,
              "principalOrgId": null,
              "sourceIp": "127.0.0.1",
              "user": null,
              "userAgent": "",
              "userArn": null
            },
            "path": "/old/",
            "protocol": "HTTP/1.1",
            "requestId": "VARIES",
            "requestTime": "VARIES",
            "requestTimeEpoch": "VARIES",
            "resourceId": "GET /old",
            "resourcePath": "/old",
            "stage": "$default"
          },
          "resource": "/old",
          "stageVariables": null,
          "version": "1.0"
        }
    "#]]
    .assert_eq(&format!("{event:#}\n"));
}

#[tokio::test]
async fn a_body_is_text_or_base64_by_its_content_type() {
    let server = TestServer::start().await;
    for (kind, body, expected) in [
        ("application/json", "{}", json!(["{}", false])),
        ("Application/JSON; charset=utf-8", "ü", json!(["ü", false])),
        ("text/csv", "a,b", json!(["a,b", false])),
        ("application/xml", "<a/>", json!(["<a/>", false])),
        ("application/x-www-form-urlencoded", "a=b", json!(["YT1i", true])),
        ("application/problem+json", "{}", json!(["e30=", true])),
        ("", "{}", json!(["e30=", true])),
        ("text/plain", "", json!([null, false])),
    ] {
        let kind = if kind.is_empty() { String::new() } else { format!("\nContent-Type: {kind}") };
        let event = server.send(&format!("POST /files/x{kind}"), body).await.json();
        assert_eq!(json!([event["body"], event["isBase64Encoded"]]), expected, "{kind} {body}");
    }
    let event = server.send("POST /files/x\nContent-Type: text/plain", [0xff, 0xfe]).await.json();
    assert_eq!(json!([event["body"], event["isBase64Encoded"]]), json!(["//4=", true]));
}

#[tokio::test]
async fn query_parameters_are_decoded_and_malformed_escapes_stay() {
    let server = TestServer::start().await;
    for (query, expected) in [
        ("a=b%20c+d", json!({ "a": "b c d" })),
        ("a=%2B", json!({ "a": "+" })),
        ("%C3%BC=%C3%BC", json!({ "ü": "ü" })),
        ("a%3D=b%26", json!({ "a=": "b&" })),
        ("a=b=c", json!({ "a": "b=c" })),
        ("a&b=&&=c", json!({ "a": "", "b": "", "": "c" })),
        ("a=100%&b=%zz%4", json!({ "a": "100%", "b": "%zz%4" })),
        ("a=%ff&b=%e2%82", json!({ "a": "\u{fffd}", "b": "\u{fffd}" })),
    ] {
        let event = server.send(&format!("GET /files/x?{query}"), "").await.json();
        assert_eq!(event["queryStringParameters"], expected, "{query}");
        assert_eq!(event["rawQueryString"], query);
    }
}

#[tokio::test]
async fn a_path_selects_its_route_or_is_404() {
    let server = TestServer::start().await;
    for (request, expected) in [
        ("GET /files/a/b%2Fc/", json!(["ANY /files/{path+}", { "path": "a/b/c/" }])),
        ("GET /orders/a%2Fb", json!(null)),
        ("DELETE /files/a", json!(["ANY /files/{path+}", { "path": "a" }])),
        ("GET /orders/7/", json!(["GET /orders/{id}", { "id": "7" }])),
        ("GET /orders/", json!(null)),
        ("GET /files/", json!(null)),
        ("GET /files", json!(null)),
        ("DELETE /orders/7", json!(null)),
        ("GET /", json!(null)),
        ("GET //orders/7", json!(null)),
    ] {
        let response = server.send(request, "").await;
        let event = response.json();
        let found = match response.status {
            404 => json!(null),
            _ => json!([event["routeKey"], event["pathParameters"]]),
        };
        assert_eq!(found, expected, "{request}");
    }
}

#[tokio::test]
async fn a_request_over_a_limit_gets_the_error_of_the_gateway() {
    let server = TestServer::start().await;
    let text = "Content-Type: text/plain";
    for (head, size, expected) in [
        (format!("GET /orders/{}", "x".repeat(10_300)), 0, (431, "Request Header Fields Too Large")),
        (format!("GET /orders/1\nX: {}", "x".repeat(10_300)), 0, (431, "Request Header Fields Too Large")),
        (format!("POST /files/x\n{text}"), (10 << 20) + 1, (413, "Request Entity Too Large")),
        (format!("POST /files/x\n{text}"), 7 << 20, (413, "Request Entity Too Large")),
    ] {
        let response = server.send(&head, "x".repeat(size)).await;
        assert_eq!((response.status, response.json()["message"].as_str().unwrap()), expected);
    }
}

#[tokio::test]
async fn malformed_requests_end_and_the_next_request_is_served() {
    let server = TestServer::start().await;
    for bytes in [
        &b"\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET /orders/%ff%00%zz%?%&==&%f0%9f HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"GET /orders/\xff\xfe?\xff HTTP/1.1\r\nhost: \xff\r\ncookie: \xff;;=;\r\nconnection: close\r\n\r\n",
        b"POST /orders HTTP/1.1\r\ncontent-length: 5\r\nconnection: close\r\n\r\nab",
        b"POST /orders HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        b"POST /orders HTTP/1.1\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\n",
        b"GET http://other/orders/7 HTTP/1.0\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nconnection: close\r\n\r\n",
    ] {
        let short = &bytes[..bytes.len().min(40)];
        let sent = tokio::time::timeout(Duration::from_secs(5), async {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut socket = tokio::net::TcpStream::connect(server.address).await.unwrap();
            socket.write_all(bytes).await.unwrap();
            socket.shutdown().await.unwrap();
            let _ = socket.read_to_end(&mut Vec::new()).await;
        });
        sent.await.unwrap_or_else(|_| panic!("no end: {}", short.escape_ascii()));
    }
    assert_eq!(server.send("GET /orders/7", "").await.status, 200);
}

#[tokio::test]
async fn a_request_in_progress_is_answered_during_shutdown() {
    let server = TestServer::start().await;
    let address = server.address;
    let request =
        "POST /orders HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n\r\nslow";
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut socket, request.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    let served = server.stop();
    let mut response = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut socket, &mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 201 Created\r\n"), "{response}");
    served.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_path_of_an_event_is_decoded_and_its_query_is_not() {
    let server = TestServer::start().await;
    for (path, decoded) in [
        ("/files/7%20a", "/files/7 a"),
        ("/files/%C3%BC%2Fx", "/files/ü/x"),
        ("/files/100%25", "/files/100%"),
        ("/files/a+b", "/files/a+b"),
    ] {
        let event = server.send(&format!("GET {path}?q=%20%2F+"), "").await.json();
        assert_eq!(event["rawPath"], decoded);
        assert_eq!(event["requestContext"]["http"]["path"], decoded);
        assert_eq!(event["rawQueryString"], "q=%20%2F+");
    }
}
