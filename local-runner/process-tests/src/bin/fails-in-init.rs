//! A function that never gets to its first event: it exits, reports an initialization error, or hangs.

#![allow(clippy::print_stderr)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::exit;
use std::time::Duration;

fn main() {
    eprintln!("no table");
    match std::env::var("INIT_FAULT").as_deref() {
        Ok("report") => report(),
        Ok("hang") => std::thread::sleep(Duration::from_secs(1000)),
        _ => exit(3),
    }
}

fn report() {
    let Ok(api) = std::env::var("AWS_LAMBDA_RUNTIME_API") else { exit(1) };
    let Ok(mut stream) = TcpStream::connect(api) else { exit(1) };
    let body = r#"{"errorType":"Config.NoTable","errorMessage":"no table","stackTrace":["main"]}"#;
    let head = "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nhost: localhost\r\nconnection: close";
    let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let sent = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut String::new()));
    exit(i32::from(sent.is_err()));
}
