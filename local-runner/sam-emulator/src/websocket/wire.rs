//! The socket of one connection: writes the queued frames, reads when a function is free, and closes with a
//! handshake. All state is in the value, so its futures may be dropped at any point.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::{Sink, SinkExt, Stream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::close_reason::CloseReason;
use super::connection::OpenConnection;
use super::options::{MAX_FRAME, MAX_MESSAGE};

/// Bytes that each connection allocates for reading. Small, because most connections are idle.
const READ_BUFFER: usize = 2 * 1024;
/// Bytes of queued frames that are written without waiting for more.
const WRITE_BUFFER: usize = 4 * 1024;
/// Bytes that a client may still send after the gateway's close frame. They are read and dropped.
const MAX_READ_AFTER_CLOSE: u64 = 1024 * 1024;

/// The socket after the 101 response.
pub(super) struct Wire {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    needs_flush: bool,
    /// Data was written and [`WireEvent::Sent`] is not reported yet.
    has_sent: bool,
    /// [`WireEvent::CloseRequested`] was reported.
    close_reported: bool,
    /// After a failed write, what the client sent before, perhaps a close frame, is still read.
    write_failed: bool,
}

/// What happened on the socket.
pub(super) enum WireEvent {
    /// A text message was received.
    Text(Utf8Bytes),
    /// Data was sent.
    Sent,
    /// Another task asked to close the connection; frames are still queued.
    CloseRequested,
    /// The connection is to be closed now.
    Closed(CloseReason),
}

impl Wire {
    pub(super) async fn new(upgraded: Upgraded) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_frame_size(Some(MAX_FRAME))
            .max_message_size(Some(MAX_MESSAGE));
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        Self { socket, needs_flush: false, has_sent: false, close_reported: false, write_failed: false }
    }

    /// Writes the connection's queued frames, and reads the next message if `may_read`.
    pub(super) fn poll(
        &mut self,
        connection: &OpenConnection,
        may_read: bool,
        cx: &mut Context<'_>,
    ) -> Poll<WireEvent> {
        connection.register(cx.waker());
        if self.write_failed {
            return self.poll_after_failed_write(may_read, cx);
        }
        match self.poll_write(connection, cx) {
            Poll::Ready(Ok(())) => {
                if let Some(reason) = connection.ready_to_close() {
                    return Poll::Ready(WireEvent::Closed(reason));
                }
            }
            Poll::Ready(Err(_)) => {
                self.write_failed = true;
                return self.poll_after_failed_write(may_read, cx);
            }
            Poll::Pending => {}
        }
        if !self.close_reported && connection.closing().is_some() {
            self.close_reported = true;
            return Poll::Ready(WireEvent::CloseRequested);
        }
        if std::mem::take(&mut self.has_sent) {
            return Poll::Ready(WireEvent::Sent);
        }
        if may_read && !self.close_reported { self.poll_read(cx) } else { Poll::Pending }
    }

    fn poll_write(&mut self, connection: &OpenConnection, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            // Frames stay in the connection's queue, which counts their bytes, until the socket can take one.
            ready!(Pin::new(&mut self.socket).poll_ready(cx))?;
            let Some(text) = connection.pop() else { break };
            Pin::new(&mut self.socket).start_send(Message::Text(text))?;
            self.needs_flush = true;
            self.has_sent = true;
        }
        if self.needs_flush {
            ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
            self.needs_flush = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what had arrived before a write failed, then reports the failure.
    fn poll_after_failed_write(&mut self, may_read: bool, cx: &mut Context<'_>) -> Poll<WireEvent> {
        match may_read.then(|| self.poll_read(cx)) {
            Some(Poll::Pending | Poll::Ready(WireEvent::Closed(CloseReason::ConnectionLost))) => {
                Poll::Ready(WireEvent::Closed(CloseReason::WriteFailed))
            }
            Some(ready) => ready,
            // Every function that finishes makes room to read, and then the session polls again.
            None => Poll::Pending,
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<WireEvent> {
        loop {
            let reason = match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(Message::Text(text))) => return Poll::Ready(WireEvent::Text(text)),
                // The library answers a ping by itself and writes the pong with the next read.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Binary(_))) => CloseReason::BinaryFrame,
                Some(Ok(Message::Close(frame))) => CloseReason::from_close_frame(frame),
                Some(Err(error)) => CloseReason::from_read_error(&error),
                None => CloseReason::ConnectionLost,
            };
            return Poll::Ready(WireEvent::Closed(reason));
        }
    }

    /// Sends the gateway's close frame, or the answer to the client's, and closes the socket. After the
    /// gateway's own frame it waits for the client to close, and drops what the client still sends: closing a
    /// socket with unread data would reset the connection, and the client might not receive the frame.
    pub(super) async fn close(mut self, connection_id: &str, reason: &CloseReason, close_timeout: Duration) {
        let closed = async {
            let frame = reason.frame();
            let waits_for_client = frame.is_some();
            match frame {
                Some(frame) => self.socket.send(Message::Close(Some(frame))).await?,
                None => self.socket.flush().await?,
            }
            let mut io = self.socket.into_inner();
            io.shutdown().await?;
            if waits_for_client {
                tokio::io::copy(&mut io.take(MAX_READ_AFTER_CLOSE), &mut tokio::io::sink()).await?;
            }
            Ok::<_, Error>(())
        };
        match tokio::time::timeout(close_timeout, closed).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(connection_id, %error, "connection lost during the closing handshake");
            }
            Err(_) => tracing::debug!(connection_id, "client did not answer the close frame in time"),
        }
    }
}
