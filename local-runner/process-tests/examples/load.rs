//! Measures the throughput of Invoke APIs: `load SECONDS CONNECTIONS NAME=http://host:port/path…` sends `{}` over
//! connections that stay open and prints the answers per second of each URL. `throughput/run.sh` compares with it.

#![allow(clippy::print_stdout)]

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seconds, connections, targets @ ..] = arguments.as_slice() else {
        return Err("usage: load SECONDS CONNECTIONS NAME=URL…".into());
    };
    let (seconds, connections): (u64, usize) = (seconds.parse()?, connections.parse()?);
    for target in targets {
        let (name, url) = target.split_once('=').ok_or("a target is NAME=URL")?;
        let url = url.strip_prefix("http://").ok_or("the URL must begin with http://")?;
        let (authority, path) = url.split_once('/').ok_or("the URL needs a path")?;
        // The first call may compile or start a function.
        request(&mut connect(authority)?, authority, path)?;
        let count = load(authority, path, connections, Duration::from_secs(seconds))?;
        println!("{name:<22} {:>8.0} answers per second", count as f64 / seconds as f64);
    }
    Ok(())
}

/// The answers of all connections within `time`.
fn load(authority: &str, path: &str, connections: usize, time: Duration) -> io::Result<u64> {
    let end = Instant::now() + time;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = connect(authority)?;
                    let mut count = 0;
                    while Instant::now() < end {
                        request(&mut connection, authority, path)?;
                        count += 1;
                    }
                    Ok(count)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("panic"))))
            .sum()
    })
}

fn connect(authority: &str) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(authority)?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn request(connection: &mut BufReader<TcpStream>, authority: &str, path: &str) -> io::Result<()> {
    let request = format!(
        "POST /{path} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    connection.get_mut().write_all(request.as_bytes())?;
    let (mut line, mut length, mut status) = (String::new(), 0, String::new());
    while connection.read_line(&mut line)? > 2 {
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        } else if status.is_empty() {
            status.clone_from(&line);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    if status.contains(" 200 ") && String::from_utf8_lossy(&body).contains("hello") {
        return Ok(());
    }
    Err(io::Error::other(format!("{}: {}", status.trim(), String::from_utf8_lossy(&body))))
}
