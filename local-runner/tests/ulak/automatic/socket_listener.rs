//! Somebody's open socket that remembers everything it hears.

use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use serde_json::Value;
use test_support::person::Person;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// An open socket in the JSON dialect.
pub(super) struct Ear {
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Ear {
    /// Opens, and waits for the greeting.
    pub(super) async fn of(person: &Person) -> Self {
        let url = format!("ws://127.0.0.1:{}/live?token={}", person.port.0, person.access_token);
        let (mut socket, _) = connect_async(url).await.unwrap();
        let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
        let memory = Arc::clone(&heard);
        let (greeted, greeting) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut greeted = Some(greeted);
            while let Some(Ok(frame)) = socket.next().await {
                let Message::Text(text) = frame else { continue };
                let frame: Value = serde_json::from_str(text.as_str()).unwrap();
                if frame["event"] == "connected" {
                    greeted.take().map(|greeted| greeted.send(()));
                }
                memory.lock().unwrap().push(frame);
            }
        });
        greeting.await.unwrap();
        Self { heard }
    }

    /// The messages of the events of this name so far.
    pub(super) fn messages(&self, event: &str) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .filter(|frame| frame["event"] == event)
            .map(|frame| frame["data"]["message"].clone())
            .collect()
    }
}
