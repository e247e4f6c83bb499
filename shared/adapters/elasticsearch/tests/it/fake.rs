//! A server on port 0 that answers from a script and remembers what it was asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use adapter_elasticsearch::{Config, Search};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// What one request is answered with.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A status and a body.
    Text(u16, String),
    /// The connection ends without an answer.
    Cut,
    /// Nothing ever.
    Silence,
}

/// A status and a body.
pub(crate) fn text(status: u16, body: &str) -> Answer {
    Answer::Text(status, body.to_owned())
}

/// The server; gone with the test's runtime.
#[derive(Clone)]
pub(crate) struct Fake {
    address: SocketAddr,
    script: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Fake {
    /// Answers by the script; its last answer is given for ever.
    pub(crate) async fn answering(script: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(script.iter().cloned().collect()));
        let fake = Self { address, script, asked: Arc::default() };
        let server = fake.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(server.clone().serve(stream));
            }
        });
        fake
    }

    /// The adapter that asks this server, as a user with a password.
    pub(crate) fn search(&self) -> Search {
        let url = format!("http://ada:secret@{}/es/", self.address);
        Search::new(Config::new(&url, "messages").unwrap())
    }

    async fn serve(self, stream: TcpStream) {
        let service = service_fn(|request| self.answer(request));
        // A cut connection ends with the service's error.
        let _ =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, &'static str> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        self.asked.lock().unwrap().push(Request::from_parts(head, body));
        let answer = self.next();
        match answer {
            Answer::Text(status, body) => {
                Ok(Response::builder().status(status).body(Full::from(body)).unwrap())
            }
            Answer::Cut => Err("cut"),
            Answer::Silence => match pending::<Infallible>().await {},
        }
    }

    fn next(&self) -> Answer {
        let mut script = self.script.lock().unwrap();
        if script.len() > 1 { script.pop_front().unwrap() } else { script[0].clone() }
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Request<Bytes>> {
        self.asked.lock().unwrap().clone()
    }

    /// Method and path of all requests so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |r: &Request<Bytes>| format!("{} {}", r.method(), r.uri().path());
        self.asked().iter().map(line).collect()
    }
}
