//! A raw WebSocket client: frames as they are, and a bound on every wait.

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

/// Nothing takes so long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// The path of the unmodified client.
pub(crate) const SOCKET_IO: &str = "/socket.io/?EIO=4&transport=websocket";

/// One connection.
pub(crate) struct Line {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Line {
    /// Connects; a refusal is its status and body.
    pub(crate) async fn open(port: Port, path: &str) -> Result<Self, (u16, String)> {
        Self::open_with(port, path, &[]).await
    }

    /// The same, with further headers.
    pub(crate) async fn open_with(
        port: Port,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Self, (u16, String)> {
        let mut request = format!("ws://127.0.0.1:{}{path}", port.0).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match timeout(PATIENCE, connect_async(request)).await.expect("an answer in time") {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(Error::Http(refusal)) => {
                let body = refusal.body().clone().unwrap_or_default();
                Err((refusal.status().as_u16(), String::from_utf8(body).unwrap()))
            }
            Err(other) => panic!("{path}: {other}"),
        }
    }

    /// A Socket.IO connection of somebody's, after its CONNECT.
    pub(crate) async fn socket_io(person: &Person) -> Self {
        let mut line = Self::open(person.port, SOCKET_IO).await.unwrap();
        assert!(line.hear().await.starts_with("0{"));
        line.say(&format!(r#"40{{"token":"{}"}}"#, person.access_token)).await;
        line.hear_until("40{").await;
        line
    }

    /// A JSON connection of somebody's, after its greeting.
    pub(crate) async fn json(person: &Person) -> Self {
        let mut line =
            Self::open(person.port, &format!("/live?token={}", person.access_token)).await.unwrap();
        line.hear_until(r#"{"event":"connected""#).await;
        line
    }

    /// Sends text; a line that the server has closed meanwhile takes it in silence.
    pub(crate) async fn say(&mut self, text: &str) {
        let _ = self.socket.send(Message::text(text)).await;
    }

    /// Sends a binary frame.
    pub(crate) async fn say_bytes(&mut self, bytes: &'static [u8]) {
        self.socket.send(Message::binary(bytes)).await.unwrap();
    }

    /// The next text; panics when the line ends instead.
    pub(crate) async fn hear(&mut self) -> String {
        match self.next().await {
            Ok(text) => text,
            Err(code) => panic!("the line was closed with {code}"),
        }
    }

    /// The next text that begins so; others are passed over.
    pub(crate) async fn hear_until(&mut self, beginning: &str) -> String {
        loop {
            let text = self.hear().await;
            if text.starts_with(beginning) {
                return text;
            }
        }
    }

    /// The next JSON event of this name: its frame.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        loop {
            let frame: Value = serde_json::from_str(&self.hear().await).unwrap();
            if frame["event"] == name {
                return frame;
            }
        }
    }

    /// The code that the server closes with; texts before it are passed over.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }

    /// The next text; `None` when the line ends.
    pub(crate) async fn next_text(&mut self) -> Option<String> {
        self.next().await.ok()
    }

    /// The next text, if one comes in so many milliseconds.
    pub(crate) async fn hear_within(&mut self, milliseconds: u64) -> Option<String> {
        timeout(Duration::from_millis(milliseconds), self.hear()).await.ok()
    }

    /// The next text, or the code with which the line was closed; 1006 when it broke off.
    async fn next(&mut self) -> Result<String, u16> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("a frame in time") {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |frame| frame.code.into())),
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }
}
