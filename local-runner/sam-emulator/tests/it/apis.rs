//! REST APIs, function URLs, and several APIs on one port.

use expect_test::expect;
use sam_emulator::invoke::{FunctionError, Invocation, Registry};
use serde_json::{Value, json};

use super::test_server::TestServer;

/// A function that answers with fields of its event, or fails.
fn echo() -> Registry {
    let mut registry = Registry::default();
    for name in ["Shop", "Blog"] {
        registry.add(name, move |call: Invocation, _| async move {
            let event: Value = serde_json::from_slice(&call.payload).unwrap();
            match event["body"].as_str() {
                Some("fail") => Err(FunctionError::new("E", "no")),
                Some("invalid") => Ok("{}".into()),
                _ => {
                    let body = json!({ "function": name, "event": event }).to_string();
                    Ok(json!({ "statusCode": 200, "body": body }).to_string().into())
                }
            }
        });
    }
    registry
}

const REST: &str = "
Resources:
  Shop:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        One: { Type: Api, Properties: { RestApiId: !Ref Api, Path: '/orders/{id}', Method: any } }
  Api:
    Type: AWS::Serverless::Api
    Properties: { StageName: live, Variables: { color: red }, Cors: { AllowOrigin: \"'https://a.test'\", AllowHeaders: \"'x-a,x-b'\", MaxAge: \"'60'\" } }";

#[tokio::test]
async fn a_rest_api_sends_the_event_of_a_rest_api_with_and_without_its_stage() {
    let server = TestServer::of(REST, echo()).await;
    for path in ["/live/orders/7?a=1&a=2", "/orders/7?a=1&a=2"] {
        let response = server
            .send(&format!("POST {path}\ncontent-type: application/x-www-form-urlencoded"), "x=1")
            .await;
        assert_eq!(response.status, 200, "{}", response.body);
        let event = &response.json()["event"];
        assert!(event.get("version").is_none());
        let fields =
            ["resource", "path", "httpMethod", "pathParameters", "stageVariables", "body", "isBase64Encoded"];
        let fields: Value = fields.iter().map(|name| event[*name].clone()).collect();
        assert_eq!(
            fields,
            json!(["/orders/{id}", "/orders/7", "POST", { "id": "7" }, { "color": "red" }, "x=1", false])
        );
        assert_eq!(event["multiValueQueryStringParameters"]["a"], json!(["1", "2"]));
        let context = &event["requestContext"];
        assert_eq!([&context["path"], &context["stage"]], [&json!("/live/orders/7"), &json!("live")]);
        assert!(context.get("authorizer").is_none());
    }
}

#[tokio::test]
async fn a_rest_api_answers_errors_and_options_in_its_own_words() {
    let server = TestServer::of(REST, echo()).await;
    for (head, body, status, expected) in [
        ("GET /nothing", "", 403, r#"{"message":"Missing Authentication Token"}"#),
        ("POST /orders/1", "fail", 502, r#"{"message":"Internal server error"}"#),
        ("POST /orders/1", "invalid", 502, r#"{"message":"Internal server error"}"#),
    ] {
        let response = server.send(head, body).await;
        assert_eq!((response.status, response.body.as_str()), (status, expected), "{head} {body}");
    }
    let options = server.send("OPTIONS /live/orders/1\norigin: https://b.test", "").await;
    expect![[r#"
        200
        access-control-allow-origin: https://a.test
        access-control-allow-methods: DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT
        access-control-allow-headers: x-a,x-b
        access-control-max-age: 60
        content-length: 0


    "#]]
    .assert_eq(&options.stable());
}

const SEVERAL: &str = "
Resources:
  Shop:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        All: { Type: HttpApi, Properties: { Path: '/{any+}', Method: any, ApiId: !Ref First } }
      FunctionUrlConfig: { AuthType: NONE }
  Blog:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Posts: { Type: HttpApi, Properties: { Path: /posts, Method: get, ApiId: !Ref Second } }
  First: { Type: AWS::Serverless::HttpApi }
  Second: { Type: AWS::Serverless::HttpApi, Properties: { StageName: v2 } }";

#[tokio::test]
async fn several_apis_share_the_port_by_prefix_and_otherwise_by_the_best_route() {
    let server = TestServer::of(SEVERAL, echo()).await;
    for (path, function, route) in [
        ("/_api/First/posts", "Shop", "ANY /{any+}"),
        ("/_api/Second/v2/posts?x=1", "Blog", "GET /posts"),
        ("/_api/ShopUrl/any/path", "Shop", "$default"),
        ("/_api/ShopUrl", "Shop", "$default"),
        ("/v2/posts", "Blog", "GET /posts"),
        ("/posts", "Shop", "ANY /{any+}"),
    ] {
        let response = server.send(&format!("GET {path}"), "").await;
        assert_eq!(response.status, 200, "{path} {}", response.body);
        let found = response.json();
        assert_eq!(
            (&found["function"], &found["event"]["routeKey"]),
            (&json!(function), &json!(route)),
            "{path}"
        );
        assert!(!found["event"]["rawPath"].as_str().unwrap().starts_with("/_api"), "{path}");
    }
    assert_eq!(server.send("GET /_api/Second/v2/none", "").await.status, 404);
}
