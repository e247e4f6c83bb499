//! Damaged input for every parser that meets bytes of others: 10,000 inputs each, from a fixed seed. None may
//! panic, and a refusal names its place.

use std::collections::BTreeMap;

use sam_emulator::plan::ScheduleKind::{Rule, Scheduler};
use sam_emulator::schedule::Expression;
use sam_emulator::websocket::selection::Selection;
use sam_emulator::{env_file, invoke_api, template};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::test_server::TestServer;

const INPUTS: usize = 10_000;

/// Damages texts by a sequence of numbers that is the same in every run (xorshift64*).
struct Damage(u64);

impl Damage {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// One to four edits: a part is removed or repeated, a byte is changed, or a word is inserted.
    fn apply(&mut self, text: &str, words: &[&str]) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.below(4) {
            let from = self.below(bytes.len() + 1);
            let to = (from + self.below(12)).min(bytes.len());
            match self.below(4) {
                0 => drop(bytes.drain(from..to)),
                1 => {
                    let part = bytes[from..to].to_vec();
                    bytes.splice(from..from, part);
                }
                2 if from < bytes.len() => bytes[from] = self.below(256) as u8,
                _ => drop(bytes.splice(from..from, self.pick(words).bytes())),
            }
        }
        bytes
    }

    fn text(&mut self, text: &str, words: &[&str]) -> String {
        String::from_utf8_lossy(&self.apply(text, words)).into_owned()
    }
}

const YAML_WORDS: [&str; 20] = [
    "!Ref ",
    "!Sub '${",
    "!GetAtt A.Arn",
    "!If [",
    "Fn::Join: ",
    "Fn::Select: [9, ",
    "!FindInMap [",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "\n  - ",
    "\n",
    "'",
    "\"",
    "&a ",
    "*a",
    "99999999999999999999",
    "\u{0}",
];

#[test]
fn damaged_templates_are_read_or_refused_with_their_place() {
    let mut damage = Damage(0x5eed_0001);
    let mut refused = 0;
    for _ in 0..INPUTS {
        let text = damage.text(include_str!("orders.yaml"), &YAML_WORDS);
        if let Err(errors) = template::read(&text, &BTreeMap::new()) {
            assert!(!errors.0.is_empty());
            for error in &errors.0 {
                let shown = error.to_string();
                // Only what concerns the whole template, like a section that is missing, has no path.
                assert!(
                    !error.path.is_empty() || shown.starts_with("Resources") || shown.contains("template"),
                    "{shown}"
                );
                assert_eq!(shown.lines().count(), 1, "{shown}");
            }
            refused += 1;
        }
    }
    assert!(refused > INPUTS / 4, "only {refused} were damaged enough");
}

#[test]
fn damaged_schedule_expressions_are_parsed_or_refused_by_name() {
    let mut damage = Damage(0x5eed_0002);
    let words =
        ["*", "?", "/", "-", ",", "#", "L", "W", "MON", "99", "0", " ", "(", ")", "rate", "at", "cron", "ü"];
    let good = [
        "cron(0/15 8-18 ? * MON-FRI *)",
        "cron(0 2 L * ? 2026)",
        "cron(0 0 ? * 3#2 *)",
        "rate(5 minutes)",
        "at(2026-01-31T12:00:00)",
    ];
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    for _ in 0..INPUTS {
        let text = damage.pick(&good).to_owned();
        let text = damage.text(&text, &words);
        for kind in [Rule, Scheduler] {
            match Expression::parse(&text, kind) {
                Ok(expression) => drop(expression.next_after(now, &jiff::tz::TimeZone::UTC, now)),
                Err(error) => assert_eq!(error.to_string(), format!("Invalid Schedule Expression {text}.")),
            }
        }
    }
}

#[test]
fn damaged_env_files_are_read_or_refused_with_their_line() {
    let mut damage = Damage(0x5eed_0003);
    let words = ["'", "\"", "\\", "=", "#", "\n", "export ", " ", "ü", "\r"];
    for _ in 0..INPUTS {
        let text = damage.text("A=1\nexport B='x y' # c\nC=\"a\\n\\\"b\"\n# comment\nD=\n", &words);
        if let Err(error) = env_file::parse(&text) {
            assert!(error.line >= 1 && error.line <= text.lines().count(), "{error}");
        }
    }
}

#[test]
fn damaged_selection_expressions_and_messages_never_panic() {
    let mut damage = Damage(0x5eed_0004);
    let words = ["$", "{", "}", ".", "[", "]", "'", "\"", "0", "\\", "request.body", "ü", "[["];
    let good = ["$request.body.action", "${request.body.a}/${request.body['b'][0]}", "\\$default"];
    for _ in 0..INPUTS {
        let text = damage.pick(&good).to_owned();
        let text = damage.text(&text, &words);
        let body = damage.text(r#"{"action":"a","a":{"b":[1,"x"]},"b":null}"#, &words);
        match Selection::parse(&text) {
            Ok(selection) => drop(selection.evaluate(&body)),
            Err(error) => assert!(error.to_string().contains(&format!("{text:?}")), "{error}"),
        }
    }
}

#[test]
fn damaged_function_names_never_panic_and_never_gain_letters() {
    let mut damage = Damage(0x5eed_0005);
    let words = [":", "%", "%3A", "%00", "%ff", "/", "arn", "$LATEST", "ü", " "];
    let good = [
        "order-get",
        "order-get:$LATEST",
        "123456789012:function:order-get",
        "arn:aws:lambda:us-east-1:123456789012:function:order-get:1",
    ];
    for _ in 0..INPUTS {
        let text = damage.pick(&good).to_owned();
        let text = damage.text(&text, &words);
        let query = damage.text("Qualifier=1&a=%zz", &words);
        if let Some(name) = invoke_api::name::parse(&text, &query) {
            let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
            assert!(name.function.chars().all(is_allowed) && !name.function.is_empty());
        }
    }
}

/// Sends a request on `socket` and reads the response; `None` when the server has closed the connection.
async fn exchange(socket: &mut TcpStream, request: &[u8]) -> Option<(u16, Vec<u8>)> {
    socket.write_all(request).await.ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.parse().ok()?];
    socket.read_exact(&mut body).await.ok()?;
    (!head.contains("connection: close")).then_some((status, body))
}

/// Exchanges every request on one connection, and opens another when the server closes it.
async fn exchange_all(
    server: &TestServer,
    mut request: impl FnMut() -> Vec<u8>,
    mut check: impl FnMut(u16, &[u8]),
) {
    let connect = || TcpStream::connect(server.address);
    let mut socket = connect().await.unwrap();
    let mut answered = 0;
    for _ in 0..INPUTS {
        match exchange(&mut socket, &request()).await {
            Some((status, body)) => {
                check(status, &body);
                answered += 1;
            }
            None => socket = connect().await.unwrap(),
        }
    }
    assert!(answered > INPUTS / 4, "only {answered} requests were answered");
    assert_eq!(server.send("GET /orders/7", "").await.status, 200);
}

#[tokio::test]
async fn damaged_paths_queries_and_cookies_become_events_or_refusals() {
    let server = TestServer::start().await;
    let mut damage = Damage(0x5eed_0006);
    let words = ["%", "%2F", "%ff", "%00", "%zz", "&", "=", ";", "+", "/", "..", "?", "\u{e9}"];
    let request = || {
        let target = damage.apply("/files/a%20b/c?x=1&y=%C3%BC&x=2", &words);
        let cookie = damage.apply("a=1; b=\"2\"; c", &words);
        let mut request =
            [b"GET ", &target[..], b" HTTP/1.1\r\nhost: shop.test\r\ncookie: ", &cookie].concat();
        // A line end would begin another header; the parser of HTTP is not under test.
        request.extend_from_slice(b"\r\n\r\n");
        request
    };
    exchange_all(&server, request, |status, body| {
        let value: serde_json::Value = serde_json::from_slice(body).expect("every answer is JSON");
        if status == 200 {
            assert!(value["rawPath"].as_str().unwrap().starts_with('/'));
        } else {
            assert!(value["message"].is_string(), "{status} {value}");
        }
    })
    .await;
}

#[tokio::test]
async fn damaged_replies_become_responses_or_500() {
    let server = TestServer::start().await;
    let mut damage = Damage(0x5eed_0007);
    let words = [
        "\"",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "null",
        "1e9",
        "-1",
        "\\u0000",
        "\\r\\n",
        "statusCode",
        "true",
        "\u{e9}",
    ];
    let good = [
        r#"{"statusCode":200,"headers":{"a":"b","n":1},"cookies":["a=1"],"body":"x","isBase64Encoded":false}"#,
        r#"{"statusCode":"201","multiValueHeaders":{"a":["b"]},"body":"cG5n","isBase64Encoded":true}"#,
    ];
    let request = || {
        let reply = damage.pick(&good).to_owned();
        let reply = damage.apply(&reply, &words);
        let head = format!(
            "POST /orders HTTP/1.1\r\nhost: shop.test\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n",
            reply.len()
        );
        [head.as_bytes(), &reply].concat()
    };
    exchange_all(&server, request, |status, body| {
        assert!((200..600).contains(&status), "{status}: {}", String::from_utf8_lossy(body));
    })
    .await;
}
