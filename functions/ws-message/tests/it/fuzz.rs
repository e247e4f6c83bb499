//! Random frames of both dialects: the handler never fails, and every answer is well-formed.
//!
//! `ULAK_FUZZ_FRAMES` sets how many frames it receives; `.ci/run` sends more than the default.

use serde_json::Value;
use shared::connection::{Connection, Dialect, Identity, UpgradeToken};
use shared::id::ConnectionId;
use shared::lambda::websocket::SocketEventKind;
use shared::ports::{Attachment, Connections as _};
use test_support::fixture::{FunctionFixture, NOW, Scenario};
use test_support::random_frames::{FrameParts, Random};
use test_support::report;

use super::ports;

const FRAMES: usize = 20_000;

/// A connection that is opened again whenever the function has ended it.
struct Subject {
    id: &'static str,
    dialect: Dialect,
    identity: Option<Identity>,
}

impl Subject {
    /// Opens the connection unless it is open. Returns whether it was not.
    async fn reopen(&self, fixture: &FunctionFixture) -> bool {
        if fixture.connection(self.id).await.is_some() {
            return false;
        }
        let connection = Connection {
            id: ConnectionId::trusted(self.id),
            dialect: self.dialect,
            identity: None,
            upgrade_token: self.identity.clone().map(UpgradeToken::Valid),
            address: String::new(),
            connected_at: NOW,
            pinged_at: NOW,
            lease_until: NOW,
        };
        fixture.store.open(&connection, 0).await.unwrap();
        if let Some(identity) = &self.identity {
            let attachment = Attachment { identity, lease_until: NOW, max_per_user: 0, now: NOW };
            fixture.store.attach(&connection.id, &attachment).await.unwrap();
        }
        true
    }
}

/// What the frames led to, so that frames that reach nothing fail the test.
#[derive(Debug, Default)]
struct Counts {
    accepted: usize,
    refused: usize,
    received: usize,
    reopened: usize,
}

impl Counts {
    /// Counts a pushed frame, which must be valid in its dialect.
    fn add(&mut self, subjects: &[Subject], connection: &str, frame: &str) {
        if frame == "CLOSE" {
            return;
        }
        let subject = subjects.iter().find(|subject| subject.id == connection).unwrap();
        let text = match subject.dialect {
            Dialect::Json => json_event(frame),
            Dialect::SocketIo => socket_io_payload(frame),
        }
        .to_string();
        self.accepted += usize::from(text.contains(r#""ok":true"#));
        self.refused += usize::from(text.contains(r#""ok":false"#));
        self.received += usize::from(text.contains("message_received"));
    }
}

fn json_event(frame: &str) -> Value {
    let event: Value = serde_json::from_str(frame).unwrap();
    assert!(event["event"].is_string() && event.get("data").is_some(), "{frame}");
    event
}

fn socket_io_payload(frame: &str) -> Value {
    let (kind, rest) = frame.split_at(2);
    assert!(["40", "42", "43", "44"].contains(&kind), "{frame}");
    // After the ack id, and after a namespace, which only a connect error names.
    let start = rest.find(if kind == "44" { ['{', '{'] } else { ['[', '{'] }).unwrap();
    serde_json::from_str(&rest[start..]).unwrap_or_else(|error| panic!("{error}: {frame}"))
}

#[tokio::test]
async fn random_frames_never_fail_the_handler_and_every_answer_is_valid_in_its_dialect() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let subject = |id, dialect, identity| Subject { id, dialect, identity };
    let subjects = [
        subject("ada-io", Dialect::SocketIo, Some(scenario.ada.identity())),
        subject("ada-json", Dialect::Json, Some(scenario.ada.identity())),
        subject("bob-io", Dialect::SocketIo, Some(scenario.bob.identity())),
        subject("eve-json", Dialect::Json, Some(scenario.eve.identity())),
        subject("anonymous-io", Dialect::SocketIo, None),
    ];
    let ids = [&scenario.conversation, &scenario.adas_message, &scenario.bobs_message];
    let ids = ids.into_iter().chain([&scenario.bob.id, &scenario.eve.id]).cloned().collect();
    let parts = FrameParts { ids, token: scenario.ada.access_token.clone() };
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut counts = Counts::default();
    let frames = std::env::var("ULAK_FUZZ_FRAMES").ok().and_then(|text| text.parse().ok()).unwrap_or(FRAMES);
    for _ in 0..frames {
        let subject = &subjects[random.below(subjects.len())];
        counts.reopened += usize::from(subject.reopen(&fixture).await);
        let kind = SocketEventKind::Message { body: parts.mutated(&mut random, subject.dialect) };
        let event = fixture.socket_event(subject.id, NOW, kind);
        ws_message::handle(ports(&fixture), event).await.unwrap();
        for (connection, frame) in fixture.pushes.take() {
            counts.add(&subjects, &connection, &frame);
        }
    }
    report(&format!("{frames} frames: {counts:?}"));
    let Counts { accepted, refused, received, reopened } = counts;
    let least = frames / 1_000;
    assert!([accepted, refused, received, reopened].iter().all(|found| *found > least), "too few of a kind");
}
