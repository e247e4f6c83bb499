//! A seeded fuzz test: mutated valid frames are parsed or rejected without a panic, and their answers stay small.
//!
//! `ULAK_FUZZ_FRAMES` sets the number of frames per dialect.

use serde_json::Value;

use crate::connection::Dialect;
use crate::realtime::codec::{AckId, Inbound, MAX_NAMESPACE_BYTES};

const SOCKET_IO: [&str; 16] = [
    "40",
    r#"40{"token":"tok-123"}"#,
    "40/random",
    r#"40/chat,{"token":"nsTok"}"#,
    r#"420["send_message",{"conversationId":"c","content":"hi \"you\" \\ \u00e9 \ud83d\ude00"}]"#,
    r#"42["no_ack",1,"2",{"3":[true]}]"#,
    r#"42/chat,0["x",1]"#,
    r#"437[{"got":{"q":1}}]"#,
    "41/custom",
    r#"44{"message":"no"}"#,
    r#"451-0["file",{"_placeholder":true,"num":0}]"#,
    "462-789[[]]",
    "3",
    "1",
    "6",
    "bAQIDBA==",
];

const JSON: [&str; 5] = [
    r#"{"action":"send_message","id":"1","data":{"content":"merhaba dünya 😀 \ud83d\ude00"}}"#,
    r#"{"action":"join_room","id":7,"data":"65f0c0ffee"}"#,
    r#"{"action":"x","id":-1.5e300,"data":[[[{"a":[{}]}]],null,0.1]}"#,
    r#"{"action":"online_users"}"#,
    r#"{"action":"pong"}"#,
];

/// The bytes that mutations write: all those with a meaning in one of the grammars.
const TOKENS: &[u8] = b"0123456789[]{}\",:/\\-+.eEbu$ \n\0\x7f\xc3\xf0truenulldDfF";

/// Marsaglia's xorshift generator, for the same frames on every machine.
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// One mutation: overwrites, inserts, removes, repeats, cuts off, or appends the end of another frame.
fn mutate(frame: &mut Vec<u8>, seeds: &[&str], random: &mut XorShift) {
    let at = random.below(frame.len() + 1);
    let end = (at + random.below(6)).min(frame.len());
    match random.below(7) {
        0 | 1 if at < frame.len() => frame[at] = random.pick(TOKENS),
        0..=2 => frame.insert(at, random.pick(TOKENS)),
        3 => drop(frame.drain(at..end)),
        4 => {
            let part = frame[at..end].repeat(1 + random.below(40));
            frame.splice(at..end, part);
        }
        5 => frame.truncate(at),
        _ => {
            let other = random.pick(seeds).as_bytes();
            frame.truncate(at);
            frame.extend_from_slice(&other[random.below(other.len())..]);
        }
    }
}

fn answer(dialect: Dialect, ack: Option<&AckId>, payload: &Value) -> String {
    ack.map_or_else(|| dialect.event("error", payload), |ack| ack.answer(payload))
}

/// Frames that the server might send in answer; their size must stay bounded.
fn answers(dialect: Dialect, inbound: Inbound) -> Vec<String> {
    match inbound {
        Inbound::Event { namespace, name, payload, ack } => {
            assert!(namespace.len() <= MAX_NAMESPACE_BYTES);
            vec![dialect.event(&name, &payload), answer(dialect, ack.as_ref(), &payload)]
        }
        Inbound::Connect { namespace, auth } => {
            assert!(namespace.len() <= MAX_NAMESPACE_BYTES && !namespace.contains(','));
            vec![dialect.event("auth", &auth), namespace]
        }
        Inbound::Refused { ack, .. } => vec![answer(dialect, ack.as_ref(), &Value::Null)],
        Inbound::Disconnect { .. } | Inbound::Pong | Inbound::Close | Inbound::Ignore => Vec::new(),
    }
}

/// Whether the frame parses. Asserts that its answers are bounded (they may be longer than the frame, since `1e15` is
/// written out) and that an encoded event parses to the same name.
fn check(dialect: Dialect, frame: &str) -> bool {
    let Ok(inbound) = dialect.parse(frame) else { return false };
    if let (Dialect::SocketIo, Inbound::Event { name, payload, .. }) = (dialect, &inbound) {
        let parsed = dialect.parse(&dialect.event(name, payload));
        assert!(matches!(parsed, Ok(Inbound::Event { name: same, .. }) if same == *name), "{frame}");
    }
    for answer in answers(dialect, inbound) {
        assert!(answer.len() <= 64 + 8 * frame.len(), "{frame} -> {answer}");
    }
    true
}

fn run(dialect: Dialect, seeds: &[&str], start: u64) {
    let frames = std::env::var("ULAK_FUZZ_FRAMES").ok().and_then(|text| text.parse().ok()).unwrap_or(500_000);
    let mut random = XorShift(start);
    let mut accepted = 0_u32;
    for _ in 0..frames {
        let mut frame = random.pick(seeds).as_bytes().to_vec();
        for _ in 0..=random.below(4) {
            mutate(&mut frame, seeds, &mut random);
        }
        accepted += u32::from(check(dialect, &String::from_utf8_lossy(&frame)));
    }
    // If all frames were rejected, or all accepted, the test would show nothing.
    assert!(accepted > frames / 50 && accepted < frames, "{accepted} of {frames} accepted");
}

#[test]
fn mutated_socket_io_frames_never_panic_or_grow() {
    run(Dialect::SocketIo, &SOCKET_IO, 0x9E37_79B9_7F4A_7C15);
}

#[test]
fn mutated_json_frames_never_panic_or_grow() {
    run(Dialect::Json, &JSON, 0xD1B5_4A32_D192_ED03);
}
