//! An open socket that records every event it receives.

use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use serde_json::Value;
use test_support::person::Person;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// A user's open socket in the JSON dialect.
pub(super) struct SocketListener {
    received: Arc<Mutex<Vec<Value>>>,
}

impl SocketListener {
    /// Opens the socket and waits for the event `connected`.
    pub(super) async fn open(person: &Person) -> Self {
        let url = format!("ws://127.0.0.1:{}/live?token={}", person.port.0, person.access_token);
        let (mut socket, _) = connect_async(url).await.unwrap();
        let received: Arc<Mutex<Vec<Value>>> = Arc::default();
        let records = Arc::clone(&received);
        let (connected, is_connected) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut connected = Some(connected);
            while let Some(Ok(frame)) = socket.next().await {
                let Message::Text(text) = frame else { continue };
                let frame: Value = serde_json::from_str(text.as_str()).unwrap();
                if frame["event"] == "connected" {
                    connected.take().map(|connected| connected.send(()));
                }
                records.lock().unwrap().push(frame);
            }
        });
        is_connected.await.unwrap();
        Self { received }
    }

    /// The messages in all events with this name so far.
    pub(super) fn messages(&self, event: &str) -> Vec<Value> {
        let received = self.received.lock().unwrap();
        received
            .iter()
            .filter(|frame| frame["event"] == event)
            .map(|frame| frame["data"]["message"].clone())
            .collect()
    }
}
