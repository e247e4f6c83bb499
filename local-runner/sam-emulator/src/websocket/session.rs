//! One open connection from the 101 response until it is closed: a single task that reads, writes, runs
//! functions and watches the time limits.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hyper::upgrade::Upgraded;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::close_reason::CloseReason;
use super::connection::OpenConnection;
use super::connections::Connections;
use super::options::{MAX_MESSAGE, WebSocketOptions};
use super::routes::Routes;
use super::timeouts::{Expired, Timeouts};
use super::wire::{Wire, WireEvent};
use crate::invoke::BoxFuture;

/// Bytes of messages of one connection that wait for a function. When they are reached, the socket is not read.
const MAX_WAITING_BYTES: usize = 2 * MAX_MESSAGE;

/// The messages of one connection that a function processes or that wait for one.
pub(super) struct PendingMessages {
    connection: Arc<OpenConnection>,
    routes: Arc<Routes>,
    max_running: usize,
    max_waiting: usize,
    running: FuturesUnordered<BoxFuture<Option<Utf8Bytes>>>,
    waiting: VecDeque<Utf8Bytes>,
    waiting_bytes: usize,
}

impl PendingMessages {
    pub(super) fn new(
        connection: Arc<OpenConnection>,
        routes: Arc<Routes>,
        options: &WebSocketOptions,
    ) -> Self {
        Self {
            connection,
            routes,
            max_running: options.concurrent_messages.max(1),
            max_waiting: options.max_waiting_messages.max(1),
            running: FuturesUnordered::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < self.max_waiting && self.waiting_bytes < MAX_WAITING_BYTES
    }

    fn add(&mut self, text: Utf8Bytes) {
        self.waiting_bytes += text.as_str().len();
        self.waiting.push_back(text);
        self.start_waiting();
    }

    fn start_waiting(&mut self) {
        while self.running.len() < self.max_running
            && let Some(text) = self.waiting.pop_front()
        {
            self.waiting_bytes -= text.as_str().len();
            let (routes, connection) = (Arc::clone(&self.routes), Arc::clone(&self.connection));
            self.running.push(Box::pin(routes.message(connection, text)));
        }
    }

    /// Waits for one function and sends its reply. Returns false when no function runs.
    async fn finish_one(&mut self) -> bool {
        let Some(reply) = self.running.next().await else { return false };
        if let Some(Err(error)) = reply.map(|frame| self.connection.push(frame)) {
            tracing::debug!(connection_id = %self.connection.meta.id, ?error, "reply not sent");
        }
        self.start_waiting();
        true
    }

    /// Runs every message to its end.
    pub(super) async fn finish_all(mut self) {
        while self.finish_one().await {}
    }
}

/// Serves the connection until it is closed. Returns the reason and the messages that are still pending.
pub(super) async fn run(
    upgraded: Upgraded,
    mut messages: PendingMessages,
    connections: &Connections,
) -> (CloseReason, PendingMessages) {
    let options = connections.options();
    let mut wire = Wire::new(upgraded).await;
    let mut timeouts = Timeouts::new(options);
    let connection = Arc::clone(&messages.connection);
    let reason = loop {
        let may_read = messages.has_room();
        tokio::select! {
            event = poll_fn(|cx| wire.poll(&connection, may_read, cx)) => match event {
                WireEvent::Text(text) => {
                    timeouts.touch(&connection);
                    messages.add(text);
                }
                WireEvent::Sent => timeouts.touch(&connection),
                WireEvent::CloseRequested => timeouts.start_close(Instant::now() + options.close_timeout),
                WireEvent::Closed(reason) => break reason,
            },
            true = messages.finish_one() => {}
            expired = timeouts.expired() => {
                connection.close(match expired {
                    Expired::Idle => CloseReason::IdleTimeout,
                    Expired::Lifetime => CloseReason::LifetimeLimit,
                    // The client does not take the frames that are queued for it.
                    Expired::Close => break connection.closing().unwrap_or(CloseReason::ConnectionLost),
                });
                timeouts.start_close(Instant::now() + options.close_timeout);
            }
        }
    };
    // Posts fail with 410 before the client sees the close.
    connections.remove(&connection, &reason);
    Box::pin(wire.close(&connection.meta.id, &reason, options.close_timeout)).await;
    (reason, messages)
}
