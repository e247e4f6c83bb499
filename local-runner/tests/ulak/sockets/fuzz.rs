//! A seeded fuzz of the socket functions: frames of both dialects, mutated and made up, through the handler on
//! a store of its own; and some over real sockets. Nothing panics, and whatever is answered is well-formed.
//!
//! `ULAK_FUZZ_FRAMES` sets how many frames the handler gets.

use serde_json::{Value, json};
use shared::connection::Dialect;
use shared::connection::{Connection, Identity, UpgradeToken};
use shared::id::{ConnectionId, UserId};
use shared::lambda::websocket::{SocketEvent, SocketEventKind};
use shared::ports::{Connections, Sessions as _};
use shared::realtime::ping::PingTimers;
use test_support::report;

use super::frames::{Matter, Random};
use super::line::Line;
use crate::functions::bench::{Bench, NOW};
use crate::functions::scene::{Known, Scene};
use crate::server::shared_server;

/// A connection to be fuzzed, opened anew whenever the function has ended it.
struct Subject {
    id: ConnectionId,
    dialect: Dialect,
    person: Option<Identity>,
}

async fn subject(bench: &Bench, id: &str, dialect: Dialect, who: Option<&Known>) -> Subject {
    let person = match who {
        Some(known) => {
            let user_id = UserId::trusted(known.id.as_str());
            let session = bench.store.list(&user_id, NOW).await.unwrap().remove(0);
            Some(Identity { user_id, session_id: session.id })
        }
        None => None,
    };
    Subject { id: ConnectionId::trusted(id), dialect, person }
}

impl Subject {
    /// Opens it unless it is open; whether it had to.
    async fn revive(&self, bench: &Bench) -> bool {
        if bench.store.get(&self.id).await.unwrap().is_some() {
            return false;
        }
        let (identity, upgrade_token) = (None, self.person.clone().map(UpgradeToken::Valid));
        let Self { id, dialect, .. } = self;
        let (id, dialect) = (id.clone(), *dialect);
        let connection = Connection {
            id,
            dialect,
            identity,
            upgrade_token,
            connected_at: NOW,
            pinged_at: NOW,
            lease_until: NOW,
        };
        Connections::open(&bench.store, &connection).await.unwrap();
        if let Some(identity) = &self.person {
            bench.store.attach(&self.id, identity, NOW).await.unwrap();
        }
        true
    }
}

/// What came of all frames, so that a fuzz that reaches nothing fails.
#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    told: usize,
    reopened: usize,
}

impl Tally {
    /// Reads an answer, which must be what its dialect allows.
    fn count(&mut self, subjects: &[Subject], id: &str, frame: &str) {
        if frame == "CLOSE" {
            return;
        }
        let dialect = subjects.iter().find(|subject| subject.id.as_str() == id).unwrap().dialect;
        let json: Value = match dialect {
            Dialect::Json => {
                let json: Value = serde_json::from_str(frame).unwrap();
                assert!(json["event"].is_string() && json.get("data").is_some(), "{frame}");
                json
            }
            Dialect::SocketIo => {
                let (kind, rest) = frame.split_at(2);
                assert!(["40", "42", "43", "44"].contains(&kind), "{frame}");
                // Past the ack id, and past a namespace, which only a refusal names.
                let start = rest.find(if kind == "44" { ['{', '{'] } else { ['[', '{'] }).unwrap();
                serde_json::from_str(&rest[start..]).unwrap_or_else(|error| panic!("{error}: {frame}"))
            }
        };
        let text = json.to_string();
        self.accepted += usize::from(text.contains(r#""ok":true"#));
        self.refused += usize::from(text.contains(r#""ok":false"#));
        self.told += usize::from(text.contains("message_received"));
    }
}

fn frames(default: usize) -> usize {
    std::env::var("ULAK_FUZZ_FRAMES").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test]
async fn the_handler_survives_every_frame_and_answers_in_its_dialect() {
    let bench = Bench::new();
    let scene = Scene::of(&bench).await;
    let heart = (&bench.store, PingTimers::default());
    let ports = ws_message::Ports {
        gate: bench.gate(),
        chat: bench.chat(),
        heartbeats: heart.0,
        presence: heart.0,
        timers: heart.1,
    };
    let (io, json) = (Dialect::SocketIo, Dialect::Json);
    let subjects = [
        subject(&bench, "ada-io", io, Some(&scene.ada)).await,
        subject(&bench, "ada-json", json, Some(&scene.ada)).await,
        subject(&bench, "bob-io", io, Some(&scene.bob)).await,
        subject(&bench, "eve-json", json, Some(&scene.eve)).await,
        subject(&bench, "nobody-io", io, None).await,
    ];
    let ids = [&scene.conversation, &scene.message, &scene.theirs, &scene.bob.id, &scene.eve.id];
    let matter = Matter { ids: ids.map(String::clone).to_vec(), token: scene.ada.token.clone() };
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut tally = Tally::default();
    let count = frames(100_000);
    for turn in 0..count {
        let subject = &subjects[random.below(subjects.len())];
        tally.reopened += usize::from(subject.revive(&bench).await);
        let event = SocketEvent {
            id: turn.to_string(),
            connection_id: subject.id.clone(),
            now: NOW,
            entropy: bench.entropy.clone(),
            source_ip: "192.0.2.7".to_owned(),
            kind: SocketEventKind::Message { body: matter.mutated(&mut random, subject.dialect) },
        };
        ws_message::handle(ports, event).await.unwrap();
        for (id, frame) in bench.pushed.take() {
            tally.count(&subjects, &id, &frame);
        }
    }
    report(&format!("{count} frames: {tally:?}"));
    let floor = count / 1_000;
    let Tally { accepted, refused, told, reopened } = tally;
    assert!([accepted, refused, told, reopened].iter().all(|found| *found > floor), "too tame");
}

#[tokio::test]
async fn a_server_survives_fuzzed_frames_on_real_sockets() {
    let server = shared_server();
    let (ada, bob, room) = server.pair();
    let message = ada.send(&room, "hello")["id"].as_str().unwrap().to_owned();
    let matter = Matter { ids: vec![room, message, bob.id.clone()], token: ada.access_token.clone() };
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    for round in 0..60 {
        let dialect = if round % 2 == 0 { Dialect::SocketIo } else { Dialect::Json };
        let mut line = match dialect {
            Dialect::SocketIo => Line::socket_io(&ada).await,
            Dialect::Json => Line::json(&ada).await,
        };
        for _ in 0..100 {
            let frame = matter.mutated(&mut random, dialect);
            line.say(&frame).await;
        }
        // Answered to the end, or closed by it; either way the world goes on.
    }
    let mut line = Line::json(&bob).await;
    line.say(r#"{"action":"online_users","id":"last"}"#).await;
    assert_eq!(line.event("ack").await["data"]["ok"], json!(true));
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
