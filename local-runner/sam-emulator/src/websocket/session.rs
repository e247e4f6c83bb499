//! The life of one open connection, from the 101 to its end: one task that reads, writes, runs functions and
//! keeps the time.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hyper::upgrade::Upgraded;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::clock::Clock;
use super::connections::Connections;
use super::end::End;
use super::options::Options;
use super::peer::Peer;
use super::routes::Routes;
use super::wire::{Happening, Wire};
use crate::invoke::BoxFuture;

/// Messages on their way through functions.
pub(super) struct Calls {
    peer: Arc<Peer>,
    routes: Arc<Routes>,
    /// How many may run.
    at_once: usize,
    /// How many more are read before the socket is left alone.
    room: usize,
    running: FuturesUnordered<BoxFuture<Option<Utf8Bytes>>>,
    waiting: VecDeque<Utf8Bytes>,
}

impl Calls {
    pub(super) fn new(peer: Arc<Peer>, routes: Arc<Routes>, options: &Options) -> Self {
        let (at_once, room) = (options.frames_at_once.max(1), options.pending_frames.max(1));
        let (running, waiting) = (FuturesUnordered::new(), VecDeque::new());
        Self { peer, routes, at_once, room, running, waiting }
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < self.room
    }

    fn add(&mut self, text: Utf8Bytes) {
        self.waiting.push_back(text);
        self.start();
    }

    fn start(&mut self) {
        while self.running.len() < self.at_once
            && let Some(text) = self.waiting.pop_front()
        {
            let (routes, peer) = (Arc::clone(&self.routes), Arc::clone(&self.peer));
            self.running.push(Box::pin(routes.message(peer, text)));
        }
    }

    /// Waits for one function and sends what it answered; false when none runs.
    async fn step(&mut self) -> bool {
        let Some(reply) = self.running.next().await else { return false };
        if let Some(Err(refused)) = reply.map(|frame| self.peer.push(frame)) {
            tracing::debug!(id = %self.peer.origin.id, ?refused, "an answer could not be sent");
        }
        self.start();
        true
    }

    /// Runs what came in before the end.
    pub(super) async fn drain(mut self) {
        while self.step().await {}
    }
}

/// Serves the connection until it ends, says goodbye, and leaves the messages that functions have yet to see.
pub(super) async fn run(upgraded: Upgraded, mut calls: Calls, connections: &Connections) -> (End, Calls) {
    let options = connections.options();
    let mut wire = Wire::new(upgraded).await;
    let mut clock = Clock::new(options);
    let peer = Arc::clone(&calls.peer);
    let end = loop {
        let may_read = calls.has_room();
        tokio::select! {
            happening = poll_fn(|cx| wire.poll(&peer, may_read, cx)) => match happening {
                Happening::Text(text) => {
                    clock.touch(&peer);
                    calls.add(text);
                }
                Happening::Sent => clock.touch(&peer),
                Happening::Ending => clock.end_by(Instant::now() + options.close_patience),
                Happening::Over(end) => break end,
            },
            true = calls.step() => {}
            () = clock.strikes() => {
                if clock.is_ending() {
                    // The peer does not take what is left for it.
                    break peer.ending().unwrap_or(End::GOING_AWAY);
                }
                peer.end(End::GOING_AWAY);
                clock.end_by(Instant::now() + options.close_patience);
            }
        }
    };
    // First gone for others, then hung up.
    connections.forget(&peer, &end);
    Box::pin(wire.finish(&end, options.close_patience)).await;
    (end, calls)
}
