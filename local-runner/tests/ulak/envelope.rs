//! Every reply: the envelope, the security headers, the request id; and the replies of the gateway itself.

use expect_test::expect;
use serde_json::json;
use test_support::http_client::HttpResponse;

use crate::server::shared_server;

/// The headers, without those that differ between replies.
fn headers(answer: &HttpResponse) -> String {
    const CHANGING: [&str; 4] = ["date", "apigw-requestid", "x-request-id", "content-length"];
    let mut lines: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !CHANGING.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    lines.sort();
    lines.concat()
}

#[test]
fn success_has_the_headers_of_helmet() {
    let answer = shared_server().person().get("/api/auth/me").send();
    assert_eq!(answer.status, 200);
    expect![[r#"
        cache-control: no-store
        connection: close
        content-security-policy: default-src 'none'; frame-ancestors 'none'
        content-type: application/json; charset=utf-8
        cross-origin-opener-policy: same-origin
        cross-origin-resource-policy: same-origin
        origin-agent-cluster: ?1
        referrer-policy: no-referrer
        strict-transport-security: max-age=31536000; includeSubDomains
        x-content-type-options: nosniff
        x-dns-prefetch-control: off
        x-download-options: noopen
        x-frame-options: SAMEORIGIN
        x-permitted-cross-domain-policies: none
        x-xss-protection: 0
    "#]]
    .assert_eq(&headers(&answer));
    assert!(!answer.header("x-request-id").unwrap().is_empty());
}

/// One failure of each status, all with the same envelope and headers.
#[test]
fn every_failure_has_the_envelope_and_its_request_id() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let message = bob.send(&conversation, "mine")["id"].as_str().unwrap().to_owned();
    let taken = json!({ "username": ada.username, "email": "x@example.com", "password": "8 horses" });
    let cases = [
        (ada.request("POST", "/api/messages/send").raw_json("{"), 400, "INVALID_JSON"),
        (server.request("GET", "/api/auth/me"), 401, "UNAUTHENTICATED"),
        (ada.delete(&format!("/api/messages/{message}")), 403, "FORBIDDEN"),
        (ada.get("/api/conversations/nothing"), 404, "NOT_FOUND"),
        (server.request("POST", "/api/auth/register").json(&taken), 409, "CONFLICT"),
        (ada.request("POST", "/api/messages/send").raw_json(vec![b' '; 70_000]), 413, "PAYLOAD_TOO_LARGE"),
        (ada.request("POST", "/api/messages/send").body("content=hi"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (ada.post("/api/messages/send", &json!({})), 422, "VALIDATION_FAILED"),
    ];
    let expected = headers(&ada.get("/api/auth/me").send());
    for (call, status, code) in cases {
        let answer = call.fails(status, code);
        let body = answer.json();
        assert_eq!(body["success"], false);
        assert!(!body["message"].as_str().unwrap().is_empty(), "{code} has no message");
        assert_eq!(body["error"]["requestId"].as_str(), answer.header("x-request-id"), "{code}");
        let mut keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["error", "message", "success"], "{code}");
        assert_eq!(body["error"].get("details").is_some(), status == 422, "{code}");
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, (status == 401).then_some("Bearer"), "{code}");
        assert_eq!(headers(&answer).replace("www-authenticate: Bearer\n", ""), expected, "{code}");
    }
}

#[test]
fn request_ids_are_unique_and_come_from_the_gateway() {
    let answers: Vec<HttpResponse> =
        (0..20).map(|_| shared_server().request("GET", "/api/auth/me").send()).collect();
    let mut ids: Vec<&str> = answers.iter().map(|answer| answer.header("x-request-id").unwrap()).collect();
    for answer in &answers {
        assert_eq!(answer.header("x-request-id"), answer.header("apigw-requestid"));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), answers.len());
}

#[test]
fn unknown_routes_get_the_gateways_404() {
    for (method, path) in [
        ("GET", "/api/nothing"),
        ("POST", "/api/auth/me"),
        ("GET", "/api/user/online/a/b"),
        ("PATCH", "/api/auth/login"),
        ("GET", "/API/AUTH/ME"),
        ("GET", "/.env"),
        ("GET", "/api/../api/auth/sessions/../me"),
    ] {
        let answer = shared_server().request(method, path).send();
        assert_eq!((answer.status, answer.text().as_str()), (404, r#"{"message":"Not Found"}"#), "{path}");
        assert_eq!(answer.header("x-request-id"), None, "{path}");
        assert_eq!(answer.header("strict-transport-security"), None, "{path}");
        assert!(answer.header("apigw-requestid").is_some(), "{path}");
    }
    let slash = shared_server().person().get("/api/auth/me/").send();
    assert_eq!(slash.status, 200, "API Gateway ignores a slash at the end");
}

#[test]
fn gateway_allows_other_origins() {
    let server = shared_server();
    let preflight = server
        .request("OPTIONS", "/api/messages/send")
        .header("origin", "https://chat.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type")
        .send();
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("*")));
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        assert!(preflight.header("access-control-allow-methods").unwrap().contains(method), "{method}");
    }
    for status in [401, 404] {
        let path = if status == 401 { "/api/auth/me" } else { "/api/nothing" };
        let answer = server.request("GET", path).header("origin", "https://chat.example").send();
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (status, Some("*")),
            "a browser cannot read failures without this header"
        );
    }
}

#[test]
fn health_lists_the_stores() {
    let answer = shared_server().request("GET", "/api/health").send();
    let data = answer.data();
    assert_eq!((answer.status, &data["status"]), (200, &json!("ok")), "{data}");
    let stores = data["stores"].as_object().unwrap();
    assert!(!stores.is_empty() && stores.values().all(|state| state == "up"), "{data}");
}
