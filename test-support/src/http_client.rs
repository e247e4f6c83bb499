//! A small HTTP client that sends exactly the given bytes, also malformed ones. It opens a connection per request.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// The read and write timeout. Long enough for a busy machine, short enough to end a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A TCP port on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Port(pub u16);

/// A request to a port of this machine.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    port: Port,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl HttpRequest {
    /// A request without a body. `path` contains the query.
    pub fn new(port: Port, method: &str, path: &str) -> Self {
        Self { port, method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds an access token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.raw_json(body.to_string())
    }

    /// Adds a body with the content type of JSON, whatever it contains.
    pub fn raw_json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the request and returns the response.
    ///
    /// # Panics
    /// Without a complete response.
    pub fn send(&self) -> HttpResponse {
        let response = self.try_send();
        response.unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    /// Sends the request.
    ///
    /// # Errors
    /// When the connection ended before the response was complete.
    pub fn try_send(&self) -> io::Result<HttpResponse> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port.0))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        // A server may refuse a large body and close before it has read it: then the response counts, not the
        // failed write.
        let written = stream.write_all(&self.bytes());
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        match HttpResponse::parse(&bytes) {
            Some(response) => Ok(response),
            None => {
                written?;
                read?;
                let problem = format!("the response ended after {} bytes", bytes.len());
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem))
            }
        }
    }

    /// Sends the request, expects a success with this status, and returns the envelope's `data`.
    #[track_caller]
    pub fn data(&self, status: u16) -> Value {
        let response = self.send();
        assert_eq!(response.status, status, "{} {}: {}", self.method, self.path, response.text());
        response.data()
    }

    /// Sends the request and expects a failure with this status and error code.
    #[track_caller]
    pub fn fails(&self, status: u16, code: &str) -> HttpResponse {
        let response = self.send();
        let found = (response.status, response.code());
        assert_eq!(found, (status, code.to_owned()), "{} {}: {}", self.method, self.path, response.text());
        response
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

/// A complete response.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    pub status: u16,
    /// Names are in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// `None` for an incomplete response, such as one of a server that was killed.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let split = |line: &str| line.split_once(": ").map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()));
        let headers = lines.map(split).collect::<Option<Vec<_>>>()?;
        let response = Self { status, headers, body: bytes[end + 4..].to_vec() };
        let length: Option<usize> = response.header("content-length").and_then(|length| length.parse().ok());
        (length.unwrap_or(0) == response.body.len()).then_some(response)
    }

    /// The first header with this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, for assertion messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The `data` of a success envelope.
    #[track_caller]
    pub fn data(&self) -> Value {
        let mut body = self.json();
        assert_eq!(body["success"], true, "{body}");
        body["data"].take()
    }

    /// The error code of a failure envelope.
    #[track_caller]
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The names of the invalid fields, in the order of the response.
    #[track_caller]
    pub fn fields(&self) -> Vec<String> {
        let body = self.json();
        let details = body["error"]["details"].as_array().cloned().unwrap_or_default();
        details.iter().map(|detail| detail["field"].as_str().unwrap().to_owned()).collect()
    }
}
