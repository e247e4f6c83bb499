//! A runtime that breaks the rules of the Runtime API on purpose, and replies with the statuses that it got.

#![allow(clippy::print_stdout)]

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

const INVOCATION: &str = "/2018-06-01/runtime/invocation";

fn main() -> io::Result<()> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(io::Error::other)?;
    let mut statuses = vec![
        (
            "response before the first event",
            send(&api, "POST", &format!("{INVOCATION}/x/response"), "", "{}")?,
        ),
        ("no such operation", send(&api, "GET", "/2018-06-01/runtime/nothing", "", "")?),
        (
            "from a web page",
            send(&api, "GET", &format!("{INVOCATION}/next"), "origin: http://page.example\r\n", "")?,
        ),
        ("ping", send(&api, "GET", "/2018-06-01/ping", "", "")?),
    ];
    let (_, headers, _) = request(&api, "GET", &format!("{INVOCATION}/next"), "", "")?;
    let id = header(&headers, "lambda-runtime-aws-request-id");
    let own = format!("{INVOCATION}/{id}/response");
    let mode = "lambda-runtime-function-response-mode: sideways\r\n";
    statuses.extend([
        ("next during an invocation", send(&api, "GET", &format!("{INVOCATION}/next"), "", "")?),
        ("initialization error after it", send(&api, "POST", "/2018-06-01/runtime/init/error", "", "{}")?),
        ("another id", send(&api, "POST", &format!("{INVOCATION}/x/response"), "", "{}")?),
        ("another mode", send(&api, "POST", &own, mode, "{}")?),
    ]);
    let reply: Vec<Value> = statuses.iter().map(|(what, answer)| json!([what, answer])).collect();
    send(&api, "POST", &own, "", &Value::from(reply).to_string())?;
    let again = send(&api, "POST", &own, "", "{}")?;
    println!("a second response: {again}");
    let (_, headers, _) = request(&api, "GET", &format!("{INVOCATION}/next"), "", "")?;
    let own = format!("{INVOCATION}/{}/response", header(&headers, "lambda-runtime-aws-request-id"));
    let large = format!("\"{}\"", "x".repeat(7 << 20));
    let refused = send(&api, "POST", &own, "", &large)?;
    println!("a large response: {refused}");
    request(&api, "GET", &format!("{INVOCATION}/next"), "", "").map(drop)
}

/// Status and error type of one request.
fn send(api: &str, method: &str, path: &str, headers: &str, body: &str) -> io::Result<String> {
    let (status, _, body) = request(api, method, path, headers, body)?;
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    Ok(format!("{status} {}", body["errorType"].as_str().unwrap_or_default()).trim_end().to_owned())
}

fn request(
    api: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> io::Result<(u16, String, String)> {
    let mut stream = TcpStream::connect(api)?;
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    // The server may answer before it has read a body that is too large.
    let _ = stream.write_all(body.as_bytes());
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let length = header(&head, "content-length").parse().unwrap_or_default();
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Ok((status, head.to_lowercase(), String::from_utf8_lossy(&body).into_owned()))
}

fn header(head: &str, name: &str) -> String {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let value = lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    value.unwrap_or_default().trim().to_owned()
}
