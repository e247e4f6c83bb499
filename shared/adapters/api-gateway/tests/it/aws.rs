//! A stand-in for AWS on port 0: it answers from a script and remembers what it was asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use shared::config::Env;
use tokio::net::{TcpListener, TcpStream};

/// What one request is answered with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// An empty body.
    Status(u16),
    /// The error's type in `x-amzn-ErrorType`, as AWS sends it.
    Error(u16, &'static str),
    /// A body that is no JSON and no type: how AWS's real 410 looks.
    Bare(u16),
    /// The connection ends without an answer.
    Cut,
    /// Nothing ever.
    Silence,
}

/// The server; gone with the test's runtime.
#[derive(Clone)]
pub(crate) struct Aws {
    address: SocketAddr,
    script: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Aws {
    /// Answers by the script; its last answer is given for ever.
    pub(crate) async fn answering(script: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(script.iter().copied().collect()));
        let aws = Self { address, script, asked: Arc::default() };
        let server = aws.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(server.clone().serve(stream));
            }
        });
        aws
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
        let response = |status: u16| Response::builder().status(status);
        Ok(match answer {
            Answer::Status(status) => response(status).body(Full::default()),
            Answer::Error(status, kind) => {
                let body = Full::from(r#"{"message":"no"}"#);
                response(status).header("x-amzn-ErrorType", kind).body(body)
            }
            Answer::Bare(status) => response(status).body(Full::from("<html>")),
            Answer::Cut => return Err("cut"),
            Answer::Silence => match pending::<Infallible>().await {},
        }
        .unwrap())
    }

    fn next(&self) -> Answer {
        let mut script = self.script.lock().unwrap();
        if script.len() > 1 { script.pop_front().unwrap() } else { script[0] }
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Request<Bytes>> {
        self.asked.lock().unwrap().clone()
    }

    /// The environment of a function that is served by this server, with more variables.
    pub(crate) fn env(&self, more: &[(&str, &str)]) -> Env {
        let endpoint = format!("http://{}/live", self.address);
        env(&[&[("PUSH_ENDPOINT", endpoint.as_str())], more].concat())
    }
}

/// An environment.
pub(crate) fn env(values: &[(&str, &str)]) -> Env {
    Env::of(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// Keys as Lambda hands them over.
pub(crate) const KEYS: [(&str, &str); 4] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG"),
    ("AWS_SESSION_TOKEN", "session-token"),
];
