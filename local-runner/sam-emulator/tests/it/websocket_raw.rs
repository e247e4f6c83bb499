//! A client that writes bytes, for what no library would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::websocket_world::PATIENCE;

/// A raw connection.
pub(crate) struct Raw {
    pub(crate) socket: TcpStream,
}

impl Raw {
    /// Sends an upgrade, with `more` in the same segment, and does not wait.
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

    /// Upgrades; the id is the one that the 101 names.
    pub(crate) async fn connect(address: SocketAddr) -> (Self, String) {
        let mut raw = Self::begin(address, "/live", b"").await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        let id = head.lines().find_map(|line| line.strip_prefix("x-amzn-connection-id: ")).unwrap();
        let id = id.to_owned();
        (raw, id)
    }

    /// The answer's head.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, self.socket.read_u8()).await.expect("a head in time");
            head.push(byte.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        // The server may have hung up on an earlier part.
        let _ = self.socket.write_all(bytes).await;
    }

    /// The next frame's first byte and payload.
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
        timeout(PATIENCE, read).await.expect("a frame in time")
    }

    /// The close code; the server hangs up after it.
    pub(crate) async fn close_code(&mut self) -> u16 {
        let (first, payload) = self.frame().await;
        assert_eq!(first, 0x88, "{payload:?}");
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, self.socket.read_to_end(&mut rest)).await.expect("the end in time");
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

/// Long enough for a wrong thing to happen.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(50);
