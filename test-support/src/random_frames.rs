//! Seeded random frames of both dialects: valid, invalid and mutated ones.

use serde_json::{Value, json};
use shared::connection::Dialect;

/// The bytes that mutations write: those with a meaning in one of the grammars, and a few that are not UTF-8.
const TOKENS: &[u8] = b"0123456789[]{}\",:/\\-+.eEbu$ \n\0\x7f\xc3\xf0truenul";
const NAMES: [&str; 14] = [
    "join_room",
    "leave_room",
    "send_message",
    "typing",
    "typing_start",
    "typing_stop",
    "message_read",
    "mark_as_read",
    "edit_message",
    "delete_message",
    "online_users",
    "replay",
    "nonsense",
    "connect",
];
const KEYS: [&str; 9] = [
    "conversationId",
    "receiverId",
    "messageId",
    "content",
    "clientMessageId",
    "isTyping",
    "lastSeq",
    "limit",
    "$where",
];

/// Marsaglia's xorshift. A seed, which is not 0, gives the same frames on every machine.
pub struct Random(pub u64);

impl Random {
    /// A number from 0 to `end - 1`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// The parts that frames are made of.
pub struct FrameParts {
    /// Ids that exist: a conversation, a message in it, and others. The last one is a user.
    pub ids: Vec<String>,
    /// A valid access token.
    pub token: String,
}

impl FrameParts {
    /// A random value for a payload, rarely deeply nested.
    fn value(&self, random: &mut Random, depth: usize) -> Value {
        match random.below(if depth > 3 { 7 } else { 10 }) {
            0 => Value::Null,
            1 => json!(random.below(3) == 0),
            2 => json!(random.below(1 << 40)),
            3 => json!(-0.5),
            4 => json!(["", "hello", "\u{0}", "x".repeat(4_001).as_str(), "😀"][random.below(5)]),
            5 | 6 => json!(self.ids[random.below(self.ids.len())]),
            7 => (0..random.below(3)).map(|_| self.value(random, depth + 1)).collect(),
            _ => self.object(random, depth),
        }
    }

    fn object(&self, random: &mut Random, depth: usize) -> Value {
        let fields = (0..random.below(4)).map(|_| {
            let key = if random.below(8) == 0 {
                self.ids[random.below(self.ids.len())].clone()
            } else {
                random.pick(&KEYS).to_owned()
            };
            (key, self.value(random, depth + 1))
        });
        Value::Object(fields.collect())
    }

    /// A payload that the event accepts, sometimes with an id of another kind.
    fn valid_payload(&self, random: &mut Random, name: &str) -> Value {
        let id = |random: &mut Random, usual: usize| {
            let at = if random.below(6) == 0 { random.below(self.ids.len()) } else { usual };
            json!(self.ids[at])
        };
        let (room, message) = (id(random, 0), id(random, 1));
        match name {
            "send_message" if random.below(4) == 0 => {
                json!({ "receiverId": id(random, self.ids.len() - 1), "content": "hi" })
            }
            "send_message" => {
                json!({ "conversationId": room, "content": "hi", "clientMessageId": random.below(99).to_string() })
            }
            "typing" => json!({ "conversationId": room, "isTyping": random.below(2) == 0 }),
            "message_read" | "mark_as_read" => json!({ "conversationId": room, "messageId": message }),
            "edit_message" => json!({ "messageId": message, "content": self.value(random, 3) }),
            "delete_message" => json!({ "messageId": message }),
            "replay" => json!({ "lastSeq": { &self.ids[0]: random.below(9) } }),
            _ => json!({ "conversationId": room }),
        }
    }

    /// A well-formed frame with a valid or random payload.
    fn frame(&self, random: &mut Random, dialect: Dialect) -> String {
        let name = random.pick(&NAMES);
        let payload =
            if random.below(2) == 0 { self.valid_payload(random, name) } else { self.object(random, 0) };
        if dialect == Dialect::Json {
            let id = if random.below(2) == 0 { json!(random.below(100)) } else { Value::Null };
            return json!({ "action": name, "id": id, "data": payload }).to_string();
        }
        match random.below(12) {
            0 => format!("40{}", json!({ "token": self.token, "lastSeq": self.object(random, 0) })),
            1 => "40".to_owned(),
            2 => "41".to_owned(),
            3 => "3".to_owned(),
            4 => format!("451-{}{}", random.below(100), json!([name, payload])),
            5 => format!("42{}", json!([name, payload])),
            6 => format!("42/{name},{}", json!([name])),
            _ => format!("42{}{}", random.below(100), json!([name, payload])),
        }
    }

    /// A frame; about half of them have a few bytes changed.
    pub fn mutated(&self, random: &mut Random, dialect: Dialect) -> String {
        let mut frame = self.frame(random, dialect).into_bytes();
        for _ in 0..random.below(5).saturating_sub(2) {
            let at = random.below(frame.len() + 1);
            let end = (at + random.below(6)).min(frame.len());
            let token = TOKENS[random.below(TOKENS.len())];
            match random.below(5) {
                0 if at < frame.len() => frame[at] = token,
                0 | 1 => frame.insert(at, token),
                2 => drop(frame.drain(at..end)),
                3 => {
                    let part = frame[at..end].repeat(1 + random.below(40));
                    frame.splice(at..end, part);
                }
                _ => frame.truncate(at),
            }
        }
        String::from_utf8_lossy(&frame).into_owned()
    }
}
