//! `--watch`: an edit is served while sockets stay open, and an edit that does not compile changes nothing.

use std::fs;
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;

use crate::bench::eventually;
use crate::emulator::Emulator;
use crate::project::{write_package, write_source};

const TEMPLATE: &str = r"
Resources:
  Orders: { Type: AWS::Serverless::Function, Properties: { FunctionName: orders, Runtime: provided.al2023, CodeUri: shop } }
  Sockets: { Type: AWS::Serverless::Function, Properties: { FunctionName: sockets, Runtime: provided.al2023, CodeUri: shop } }
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: live
      RouteSelectionExpression: $request.body.action
      Routes:
        $connect: { FunctionArn: !GetAtt Sockets.Arn }
        $default: { FunctionArn: !GetAtt Sockets.Arn, RouteResponseSelectionExpression: $default }
  Reply:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Api, RouteId: !Ref ApiDefaultRoute, RouteResponseKey: $default }
";

#[tokio::test]
async fn an_edit_is_served_with_sockets_open_and_a_build_error_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let template = home.path().join("template.yaml");
    fs::write(&template, TEMPLATE).unwrap();
    write_package(&home.path().join("shop"), "shop", &["orders", "sockets"], "one");
    let emulator = Emulator::start(&template, &["--watch"]);
    let orders = home.path().join("shop/src/orders.rs");
    let text = || emulator.invoke("orders", "{}");
    assert_eq!(text(), r#"{"statusCode":200,"body":"one"}"#);
    let url = format!("ws://127.0.0.1:{}/live", emulator.port);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();

    let saved = Instant::now();
    write_source(&orders, "two");
    eventually("the edit is served", || text().contains("two")).await;
    // Cargo needs about a second for this package; the bound is for a busy machine.
    assert!(saved.elapsed() < Duration::from_secs(30), "{:?}", saved.elapsed());
    assert!(
        emulator.log().contains("replacing the code of functions functions=\"orders\""),
        "{}",
        emulator.log()
    );

    fs::write(&orders, "fn main() { three }").unwrap();
    eventually("the build has failed", || emulator.log().contains("goes on serving")).await;
    assert!(text().contains("two"));
    assert!(emulator.log().contains("cannot find value `three`"), "{}", emulator.log());
    write_source(&orders, "four");
    eventually("the mended edit is served", || text().contains("four")).await;

    write_source(&home.path().join("shop/src/sockets.rs"), "five");
    let mut answer = String::new();
    let start = Instant::now();
    while answer != "five" {
        assert!(start.elapsed() < Duration::from_secs(60), "the socket is answered by {answer}");
        socket.send(Message::text("{}")).await.unwrap();
        answer = socket.next().await.unwrap().unwrap().into_text().unwrap().to_string();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
