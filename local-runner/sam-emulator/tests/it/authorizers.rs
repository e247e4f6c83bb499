//! Lambda authorizers of HTTP, REST and WebSocket APIs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{SinkExt, StreamExt};
use sam_emulator::invoke::{FunctionError, Invocation, Registry};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message};

use super::test_server::TestServer;

const TEMPLATE: &str = "
Resources:
  Gate: { Type: AWS::Serverless::Function }
  Page:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Simple: { Type: HttpApi, Properties: { Path: /simple, Method: get, ApiId: !Ref Http } }
        Open: { Type: HttpApi, Properties: { Path: /open, Method: get, ApiId: !Ref Http, Auth: { Authorizer: NONE } } }
        Policy: { Type: HttpApi, Properties: { Path: '/policy/{x}', Method: get, ApiId: !Ref Http, Auth: { Authorizer: Policy } } }
        Rest: { Type: Api, Properties: { Path: '/rest/{x}', Method: get, RestApiId: !Ref Rest } }
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Simple
        Authorizers:
          Simple:
            FunctionArn: !GetAtt Gate.Arn
            AuthorizerPayloadFormatVersion: '2.0'
            EnableSimpleResponses: true
            Identity: { Headers: [x-key], QueryStrings: [q], ReauthorizeEvery: 60 }
          Policy: { FunctionArn: !GetAtt Gate.Arn, AuthorizerPayloadFormatVersion: '1.0', Identity: { Headers: [x-key] } }
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Auth:
        DefaultAuthorizer: Token
        Authorizers:
          Token: { FunctionArn: !GetAtt Gate.Arn, Identity: { ValidationExpression: 'key-.*', ReauthorizeEvery: 0 } }
  Chat: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action } }
  ChatStage: { Type: AWS::ApiGatewayV2::Stage, Properties: { ApiId: !Ref Chat, StageName: chat } }
  Connect: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Chat, RouteKey: $connect, AuthorizationType: CUSTOM, AuthorizerId: !Ref ChatGate, Target: !Sub 'integrations/${To}' } }
  Default: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Chat, RouteKey: $default, RouteResponseSelectionExpression: $default, Target: !Sub 'integrations/${To}' } }
  Answer: { Type: AWS::ApiGatewayV2::RouteResponse, Properties: { ApiId: !Ref Chat, RouteId: !Ref Default, RouteResponseKey: $default } }
  To: { Type: AWS::ApiGatewayV2::Integration, Properties: { ApiId: !Ref Chat, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Page.Arn } }
  ChatGate: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref Chat, AuthorizerType: REQUEST, AuthorizerUri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Gate.Arn}/invocations', IdentitySource: [route.request.querystring.token] } }";

/// The server, and how often the authorizer has run.
async fn start() -> (TestServer, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let mut registry = Registry::default();
    registry.add("Gate", move |call: Invocation, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move { gate(&serde_json::from_slice(&call.payload).unwrap()) }
    });
    registry.add("Page", |call: Invocation, _| async move {
        let event: Value = serde_json::from_slice(&call.payload).unwrap();
        let body = event["requestContext"]["authorizer"].to_string();
        Ok(json!({ "statusCode": 200, "body": body }).to_string().into())
    });
    (TestServer::of(TEMPLATE, registry).await, calls)
}

/// Lets callers in by the value that identifies them. Policies allow the routes that end in `/1` and `$connect`.
fn gate(event: &Value) -> Result<bytes::Bytes, FunctionError> {
    let given = match &event["identitySource"] {
        Value::Array(values) => values[0].as_str().unwrap_or_default().to_owned(),
        Value::String(text) => text.clone(),
        _ => event["authorizationToken"].as_str().unwrap_or_default().to_owned(),
    };
    assert!(event.get("body").is_none(), "{event}");
    let context = json!({ "given": given, "type": event["type"] });
    let reply = match given.as_str() {
        "key-fails" => return Err(FunctionError::new("E", "no")),
        "key-401" => return Err(FunctionError::new("E", "Unauthorized")),
        "key-odd" => json!("odd"),
        "key-no" => {
            json!({ "isAuthorized": false, "principalId": "p", "policyDocument": policy("Deny", "*") })
        }
        _ if event["version"] == "2.0" => json!({ "isAuthorized": true, "context": context }),
        _ => {
            let arn = event["methodArn"].as_str().unwrap();
            let base = arn.rsplit_once('/').unwrap().0;
            let resource = if arn.ends_with("$connect") { arn.to_owned() } else { format!("{base}/1") };
            json!({ "principalId": "p", "policyDocument": policy("Allow", &resource), "context": context })
        }
    };
    Ok(reply.to_string().into())
}

fn policy(effect: &str, resource: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Action": "execute-api:Invoke", "Effect": effect, "Resource": resource }] })
}

#[track_caller]
fn assert_answers(response: &super::test_server::TestResponse, status: u16, body: &str) {
    assert_eq!((response.status, response.body.as_str()), (status, body));
}

#[tokio::test]
async fn a_simple_authorizer_of_an_http_api_decides_once_per_identity() {
    let (server, calls) = start().await;
    let get = async |path: &str, key: &str| server.send(&format!("GET {path}\nx-key: {key}"), "").await;
    let without = server.send("GET /_api/Http/simple?q=1", "").await;
    assert_answers(&without, 401, r#"{"message":"Unauthorized"}"#);
    assert_answers(&get("/_api/Http/simple", "key-a").await, 401, r#"{"message":"Unauthorized"}"#);
    assert_eq!(calls.load(Ordering::SeqCst), 0, "a request without identity is refused without asking");
    for _ in 0..3 {
        let allowed = get("/_api/Http/simple?q=1", "key-a").await;
        assert_answers(&allowed, 200, r#"{"lambda":{"given":"key-a","type":"REQUEST"}}"#);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    get("/_api/Http/simple?q=2", "key-a").await;
    assert_eq!(calls.load(Ordering::SeqCst), 2, "another value of the query is another identity");
    assert_answers(&get("/_api/Http/simple?q=1", "key-no").await, 403, r#"{"message":"Forbidden"}"#);
    let failed = r#"{"message":"Internal Server Error"}"#;
    assert_answers(&get("/_api/Http/simple?q=1", "key-fails").await, 500, failed);
    assert_answers(&get("/_api/Http/simple?q=1", "key-odd").await, 500, failed);
    assert_answers(&server.send("GET /_api/Http/open", "").await, 200, "null");
}

#[tokio::test]
async fn a_policy_allows_the_routes_that_it_names() {
    let (server, calls) = start().await;
    let allowed = server.send("GET /_api/Http/policy/1\nx-key: key-a", "").await;
    assert_answers(&allowed, 200, r#"{"lambda":{"given":"key-a","type":"REQUEST"}}"#);
    let denied = server.send("GET /_api/Http/policy/2\nx-key: key-a", "").await;
    assert_answers(&denied, 403, r#"{"message":"Forbidden"}"#);
    assert_eq!(calls.load(Ordering::SeqCst), 2, "without a time to live nothing is kept");
}

#[tokio::test]
async fn a_token_authorizer_of_a_rest_api_gets_the_token_alone() {
    let (server, calls) = start().await;
    let get =
        async |path: &str, token: &str| server.send(&format!("GET {path}\nauthorization: {token}"), "").await;
    assert_answers(&get("/_api/Rest/live/rest/1", "other").await, 401, r#"{"message":"Unauthorized"}"#);
    assert_eq!(calls.load(Ordering::SeqCst), 0, "a token that does not match the expression is refused");
    let allowed = get("/_api/Rest/live/rest/1", "key-a").await;
    assert_answers(&allowed, 200, r#"{"given":"key-a","principalId":"p","type":"TOKEN"}"#);
    let denied = r#"{"Message":"User is not authorized to access this resource"}"#;
    assert_answers(&get("/_api/Rest/live/rest/2", "key-a").await, 403, denied);
    assert_answers(&get("/_api/Rest/live/rest/1", "key-no").await, 403, denied);
    assert_answers(&get("/_api/Rest/live/rest/1", "key-401").await, 401, r#"{"message":"Unauthorized"}"#);
    assert_answers(&get("/_api/Rest/live/rest/1", "key-fails").await, 500, r#"{"message":null}"#);
}

#[tokio::test]
async fn an_authorizer_of_a_websocket_api_decides_before_connect_and_is_in_every_event() {
    let (server, calls) = start().await;
    let url = |query: &str| format!("ws://{}/chat{query}", server.address);
    let status = async |query: &str| match tokio_tungstenite::connect_async(url(query)).await {
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    };
    assert_eq!((status("").await, calls.load(Ordering::SeqCst)), (401, 0));
    assert_eq!([status("?token=key-no").await, status("?token=key-fails").await], [403, 500]);
    let (mut socket, _) = tokio_tungstenite::connect_async(url("?token=key-a")).await.unwrap();
    socket.send(Message::text("{}")).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap().into_text().unwrap();
    assert_eq!(answer.as_str(), r#"{"given":"key-a","principalId":"p","type":"REQUEST"}"#);
    assert_eq!(calls.load(Ordering::SeqCst), 3, "messages are not authorized again");
}
