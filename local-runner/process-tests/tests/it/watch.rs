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

/// The time of the last build that replaced the code of `orders`.
fn last_build(log: &str) -> Duration {
    let line =
        log.lines().rev().find(|line| line.contains("replacing the code of functions functions=\"orders\""));
    let milliseconds = line.unwrap().split("build_ms=").nth(1).unwrap();
    Duration::from_millis(milliseconds.trim().parse().unwrap())
}

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

    // What an edit takes besides cargo. The best of three, because the machine may be busy with other tests.
    let mut overheads = Vec::new();
    for edit in ["edit-1", "edit-2", "two"] {
        let saved = Instant::now();
        write_source(&orders, edit);
        eventually("the edit is served", || text().contains(edit)).await;
        overheads.push(saved.elapsed().saturating_sub(last_build(&emulator.log())));
    }
    let best = overheads.iter().min().unwrap();
    assert!(*best < Duration::from_secs(1), "{overheads:?} more than cargo needs");
    socket.send(Message::text("{}")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap().into_text().unwrap().as_str(), "one");

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
