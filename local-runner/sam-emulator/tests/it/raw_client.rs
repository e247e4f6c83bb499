//! A WebSocket client that writes bytes, for frames that no library would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::socket_server::TIMEOUT;

/// First bytes of frames: the FIN bit and the opcode (RFC 6455 §5.2).
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const FIRST_OF_TEXT: u8 = 0x01;
pub(crate) const CONTINUATION: u8 = 0x00;
pub(crate) const LAST_CONTINUATION: u8 = 0x80;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

/// A connection without a WebSocket library.
pub(crate) struct RawClient {
    pub(crate) socket: TcpStream,
}

impl RawClient {
    /// Sends an upgrade request, with `more` in the same segment, and does not wait for the response.
    pub(crate) async fn begin(address: SocketAddr, path: &str, more: &[u8]) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let mut bytes = format!(
            "GET {path} HTTP/1.1\r\nHost: local\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        .into_bytes();
        bytes.extend_from_slice(more);
        socket.write_all(&bytes).await.unwrap();
        Self { socket }
    }

    /// Connects. Returns the client and the connection id of the 101 response.
    pub(crate) async fn connect(address: SocketAddr) -> (Self, String) {
        let mut client = Self::begin(address, "/live", b"").await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        let id = head.lines().find_map(|line| line.strip_prefix("x-amzn-connection-id: ")).unwrap();
        let id = id.to_owned();
        (client, id)
    }

    /// The head of the HTTP response.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(TIMEOUT, self.socket.read_u8()).await.expect("a head in time");
            head.push(byte.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        // The server may have closed after an earlier part of the bytes.
        let _ = self.socket.write_all(bytes).await;
    }

    /// The first byte and the payload of the next frame.
    pub(crate) async fn frame(&mut self) -> (u8, Vec<u8>) {
        let read = async {
            let first = self.socket.read_u8().await.unwrap();
            let length = match self.socket.read_u8().await.unwrap() {
                126 => usize::from(self.socket.read_u16().await.unwrap()),
                127 => usize::try_from(self.socket.read_u64().await.unwrap()).unwrap(),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            self.socket.read_exact(&mut payload).await.unwrap();
            (first, payload)
        };
        timeout(TIMEOUT, read).await.expect("a frame in time")
    }

    /// The code of the next frame, which must be a close frame and the last bytes of the server.
    pub(crate) async fn close_code(&mut self) -> u16 {
        let (first, payload) = self.frame().await;
        assert_eq!(first, CLOSE, "{payload:?}");
        let mut rest = Vec::new();
        let _ = timeout(TIMEOUT, self.socket.read_to_end(&mut rest)).await.expect("the end in time");
        assert_eq!(rest, b"");
        u16::from_be_bytes([payload[0], payload[1]])
    }
}

/// A masked frame with this first byte.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length @ 126..=65_535 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let mask = [7, 1, 9, 200];
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Long enough for an unwanted event to happen.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(50);
