//! Cargo projects that a test writes: functions without dependencies, so that they build in a second.

use std::fs;
use std::path::Path;

const SOURCE: &str = r##"
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

const TEXT: &str = "TEXT_OF_THE_TEST";

fn main() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    loop {
        let id = request(&api, "GET", "next", "");
        let reply = format!("{{\"statusCode\":200,\"body\":\"{TEXT}\"}}");
        request(&api, "POST", &format!("{id}/response"), &reply);
    }
}

fn request(api: &str, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(api).unwrap();
    let length = body.len();
    write!(stream, "{method} /2018-06-01/runtime/invocation/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    let mut reader = BufReader::new(stream);
    let (mut id, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_lowercase().strip_prefix("lambda-runtime-aws-request-id: ") {
            id = value.trim().to_owned();
        }
        line.clear();
    }
    reader.read_to_end(&mut Vec::new()).unwrap();
    id
}
"##;

/// Writes a package whose binaries reply with `text`.
pub(crate) fn write_package(folder: &Path, name: &str, binaries: &[&str], text: &str) {
    let bins: String =
        binaries.iter().map(|bin| format!("[[bin]]\nname = \"{bin}\"\npath = \"src/{bin}.rs\"\n")).collect();
    let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n{bins}");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    for bin in binaries {
        write_source(&folder.join(format!("src/{bin}.rs")), text);
    }
}

pub(crate) fn write_source(file: &Path, text: &str) {
    fs::write(file, SOURCE.replace("TEXT_OF_THE_TEST", text)).unwrap();
}
