//! A WebSocket client that sends and receives raw frames. Every wait has a time limit.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use test_support::http_client::Port;
use test_support::person::Person;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::documents::events::assert_documented;

/// The time limit of every wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// The path that `socket.io-client` connects to.
pub(crate) const SOCKET_IO: &str = "/socket.io/?EIO=4&transport=websocket";

/// One connection.
pub(crate) struct SocketClient {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Whether every event that is received must be one of the AsyncAPI document.
    is_documented: bool,
}

impl SocketClient {
    /// Connects.
    ///
    /// # Errors
    /// Status and body of the response, if the server refuses the upgrade.
    pub(crate) async fn open(port: Port, path: &str) -> Result<Self, (u16, String)> {
        Self::open_with(port, path, &[]).await
    }

    /// [`Self::open`] with additional headers.
    pub(crate) async fn open_with(
        port: Port,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Self, (u16, String)> {
        let mut request = format!("ws://127.0.0.1:{}{path}", port.0).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match timeout(PATIENCE, connect_async(request)).await.expect("no response within the time limit") {
            Ok((socket, _)) => Ok(Self { socket, is_documented: false }),
            Err(Error::Http(refusal)) => {
                let body = refusal.body().clone().unwrap_or_default();
                Err((refusal.status().as_u16(), String::from_utf8(body).unwrap()))
            }
            Err(other) => panic!("{path}: {other}"),
        }
    }

    /// The server is Ulak: each event that it sends must be documented.
    pub(crate) fn documented(mut self) -> Self {
        self.is_documented = true;
        self
    }

    /// A user's Socket.IO connection after its CONNECT.
    pub(crate) async fn socket_io(person: &Person) -> Self {
        let mut client = Self::open(person.port, SOCKET_IO).await.unwrap().documented();
        assert!(client.receive().await.starts_with("0{"));
        client.send(&format!(r#"40{{"token":"{}"}}"#, person.access_token)).await;
        client.receive_until("40{").await;
        client
    }

    /// A user's connection in the JSON dialect after the event `connected`.
    pub(crate) async fn json(person: &Person) -> Self {
        let path = format!("/live?token={}", person.access_token);
        let mut client = Self::open(person.port, &path).await.unwrap().documented();
        client.receive_until(r#"{"event":"connected""#).await;
        client
    }

    /// Sends a text frame. Without an effect if the server has closed the connection.
    pub(crate) async fn send(&mut self, text: &str) {
        let _ = self.socket.send(Message::text(text)).await;
    }

    /// Sends a binary frame.
    pub(crate) async fn send_bytes(&mut self, bytes: &'static [u8]) {
        self.socket.send(Message::binary(bytes)).await.unwrap();
    }

    /// The next text frame.
    ///
    /// # Panics
    /// If the connection is closed instead.
    pub(crate) async fn receive(&mut self) -> String {
        match self.next().await {
            Ok(text) => text,
            Err(code) => panic!("the connection was closed with {code}"),
        }
    }

    /// The next text frame that begins with `prefix`; frames before it are ignored.
    pub(crate) async fn receive_until(&mut self, prefix: &str) -> String {
        loop {
            let text = self.receive().await;
            if text.starts_with(prefix) {
                return text;
            }
        }
    }

    /// The frame of the next event with this name, in the JSON dialect.
    pub(crate) async fn receive_event(&mut self, name: &str) -> Value {
        loop {
            let frame: Value = serde_json::from_str(&self.receive().await).unwrap();
            if frame["event"] == name {
                return frame;
            }
        }
    }

    /// The code that the server closes with; frames before it are ignored.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }

    /// The next text frame; `None` when the connection is closed.
    pub(crate) async fn receive_or_close(&mut self) -> Option<String> {
        self.next().await.ok()
    }

    /// The next text frame, if one arrives within so many milliseconds.
    pub(crate) async fn receive_within(&mut self, milliseconds: u64) -> Option<String> {
        timeout(Duration::from_millis(milliseconds), self.receive()).await.ok()
    }

    /// The next text frame, or the code with which the connection was closed; 1006 without a close frame.
    async fn next(&mut self) -> Result<String, u16> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("no frame within the time limit") {
                Some(Ok(Message::Text(text))) => {
                    if self.is_documented {
                        assert_documented(&text);
                    }
                    return Ok(text.as_str().to_owned());
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |frame| frame.code.into())),
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }
}
