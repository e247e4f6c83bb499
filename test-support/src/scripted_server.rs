//! An HTTP server that replies from a script and records the requests.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub enum ScriptedReply {
    Respond {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Closes the connection without a response.
    Disconnect,
    /// Never responds.
    Ignore,
}

impl ScriptedReply {
    /// A response without headers.
    pub fn new(status: u16, body: &str) -> Self {
        Self::Respond { status, headers: Vec::new(), body: body.to_owned() }
    }

    /// Adds a header to a response.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Respond { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// The server; it ends with the test's runtime.
#[derive(Clone)]
pub struct ScriptedServer {
    pub address: SocketAddr,
    script: Arc<Mutex<VecDeque<ScriptedReply>>>,
    requests: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl ScriptedServer {
    /// Starts a server on a free port. It repeats the last reply of the script for ever.
    pub async fn start(script: &[ScriptedReply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(script.iter().cloned().collect()));
        let server = Self { address, script, requests: Arc::default() };
        let accepting = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        server
    }

    async fn serve(self, stream: TcpStream) {
        let service = service_fn(|request| self.reply(request));
        // `Disconnect` ends the connection with the service's error.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn reply(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, &'static str> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        self.requests.lock().unwrap().push(Request::from_parts(head, body));
        let reply = self.next();
        match reply {
            ScriptedReply::Respond { status, headers, body } => {
                let response = Response::builder().status(status);
                let response = headers.iter().fold(response, |r, (name, value)| r.header(*name, value));
                Ok(response.body(Full::from(body)).unwrap())
            }
            ScriptedReply::Disconnect => Err("disconnected by the script"),
            ScriptedReply::Ignore => match pending::<Infallible>().await {},
        }
    }

    fn next(&self) -> ScriptedReply {
        let mut script = self.script.lock().unwrap();
        if script.len() > 1 { script.pop_front().unwrap() } else { script[0].clone() }
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.requests.lock().unwrap().clone()
    }

    /// Method and path of all requests so far.
    pub fn request_lines(&self) -> Vec<String> {
        let line = |request: &Request<Bytes>| format!("{} {}", request.method(), request.uri().path());
        self.requests().iter().map(line).collect()
    }
}
