//! A small HTTP client that sends exactly what it is told, hostile bytes too: one connection per request.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Long enough for a busy machine, short enough to end a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port on this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Port(pub(crate) u16);

/// A request that is being put together.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    port: Port,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Call {
    /// A request without a body.
    pub(crate) fn new(port: Port, method: &str, path: &str) -> Self {
        Self { port, method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With an access token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.raw_json(body.to_string())
    }

    /// With bytes that claim to be JSON.
    pub(crate) fn raw_json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    /// With a body.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends, and insists on an answer.
    pub(crate) fn send(&self) -> Answer {
        let answer = self.try_send();
        answer.unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    /// Sends; an error when the server went away before the whole answer was here.
    pub(crate) fn try_send(&self) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port.0))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        // A server may answer and close before it has read a body that is too large: what it said counts.
        let written = stream.write_all(&self.bytes());
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        match Answer::parse(&bytes) {
            Some(answer) => Ok(answer),
            None => {
                written?;
                read?;
                Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("{} bytes of an answer", bytes.len()),
                ))
            }
        }
    }

    /// Sends and expects a success; the envelope's data.
    #[track_caller]
    pub(crate) fn data(&self, status: u16) -> Value {
        let answer = self.send();
        assert_eq!(answer.status, status, "{} {}: {}", self.method, self.path, answer.text());
        answer.data()
    }

    /// Sends and expects a failure.
    #[track_caller]
    pub(crate) fn fails(&self, status: u16, code: &str) -> Answer {
        let answer = self.send();
        let found = (answer.status, answer.code());
        assert_eq!(found, (status, code.to_owned()), "{} {}: {}", self.method, self.path, answer.text());
        answer
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head =
            format!("{} {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() || self.method == "POST" {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A whole answer, or nothing: bytes that a dying server left behind are none.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let split = |line: &str| line.split_once(": ").map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()));
        let headers = lines.map(split).collect::<Option<Vec<_>>>()?;
        let answer = Self { status, headers, body: bytes[end + 4..].to_vec() };
        let length: Option<usize> = answer.header("content-length").and_then(|length| length.parse().ok());
        (length.unwrap_or(0) == answer.body.len()).then_some(answer)
    }

    /// The first header of a name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, for messages.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A success's data.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        let mut body = self.json();
        assert_eq!(body["success"], true, "{body}");
        body["data"].take()
    }

    /// A failure's code.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The names of the wrong fields, in the order in which they are told.
    #[track_caller]
    pub(crate) fn fields(&self) -> Vec<String> {
        let body = self.json();
        let details = body["error"]["details"].as_array().cloned().unwrap_or_default();
        details.iter().map(|detail| detail["field"].as_str().unwrap().to_owned()).collect()
    }
}
