//! The socket of one connection: writes what waits for it, reads when there is room, ends it politely. All
//! state lives in the value, so its futures may be dropped at any point.

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

use super::end::End;
use super::options::{MAX_FRAME, MAX_MESSAGE};
use super::peer::Peer;

/// Allocated per connection for good: small, because most connections are idle.
const READ_BUFFER: usize = 2 * 1024;
/// From so many bytes on a write does not wait for more frames.
const WRITE_BUFFER: usize = 4 * 1024;
/// How much of what a peer still sends is read and dropped after our close frame.
const MAX_LEFTOVER: u64 = 1024 * 1024;

/// The socket after the 101.
pub(super) struct Wire {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    /// Something was handed to the socket and not flushed yet.
    is_dirty: bool,
    /// Data went out that nobody was told of yet.
    has_sent: bool,
    /// The end was asked for, and the task was told.
    is_ending: bool,
    /// Writing failed. What the peer sent before, its close frame perhaps, is still read.
    is_deaf: bool,
}

/// What happened on the wire.
pub(super) enum Happening {
    /// A text message came in.
    Text(Utf8Bytes),
    /// Data went out.
    Sent,
    /// The end was asked for, and something is still to be written.
    Ending,
    /// The connection is to end now, by whichever side.
    Over(End),
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
        Self { socket, is_dirty: false, has_sent: false, is_ending: false, is_deaf: false }
    }

    /// Writes what waits in `peer`, and reads the next message if `may_read`.
    pub(super) fn poll(&mut self, peer: &Peer, may_read: bool, cx: &mut Context<'_>) -> Poll<Happening> {
        peer.register(cx.waker());
        if self.is_deaf {
            return self.poll_last_words(may_read, cx);
        }
        match self.poll_write(peer, cx) {
            Poll::Ready(Ok(())) => {
                if let Some(end) = peer.ended() {
                    return Poll::Ready(Happening::Over(end));
                }
            }
            Poll::Ready(Err(_)) => {
                self.is_deaf = true;
                return self.poll_last_words(may_read, cx);
            }
            Poll::Pending => {}
        }
        if !self.is_ending && peer.ending().is_some() {
            self.is_ending = true;
            return Poll::Ready(Happening::Ending);
        }
        if std::mem::take(&mut self.has_sent) {
            return Poll::Ready(Happening::Sent);
        }
        if may_read && !self.is_ending { self.poll_read(cx) } else { Poll::Pending }
    }

    fn poll_write(&mut self, peer: &Peer, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            // Only a socket that takes a frame is given one, so that what waits stays in the counted queue.
            ready!(Pin::new(&mut self.socket).poll_ready(cx))?;
            let Some(text) = peer.pop() else { break };
            Pin::new(&mut self.socket).start_send(Message::Text(text))?;
            self.is_dirty = true;
            self.has_sent = true;
        }
        if self.is_dirty {
            ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
            self.is_dirty = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what has arrived from a peer that takes nothing any more.
    fn poll_last_words(&mut self, may_read: bool, cx: &mut Context<'_>) -> Poll<Happening> {
        match may_read.then(|| self.poll_read(cx)) {
            Some(Poll::Pending) => Poll::Ready(Happening::Over(End::ABNORMAL)),
            Some(ready) => ready,
            // The functions first; each that ends makes room and asks again.
            None => Poll::Pending,
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        loop {
            let end = match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(Message::Text(text))) => return Poll::Ready(Happening::Text(text)),
                // The socket has its pong ready and writes it with the next read.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Binary(_))) => End::BINARY,
                Some(Ok(Message::Close(frame))) => End::by_peer(frame),
                Some(Err(error)) => End::by_error(&error),
                None => End::ABNORMAL,
            };
            return Poll::Ready(Happening::Over(end));
        }
    }

    /// Sends the close frame, ours or the echo of the peer's, and hangs up. After ours the peer hangs up
    /// first, and what it still sends is read and dropped: unread data would reset the line under our frame.
    pub(super) async fn finish(mut self, end: &End, patience: Duration) {
        let goodbye = async {
            if end.is_ours {
                self.socket.send(Message::Close(Some(end.frame()))).await?;
            } else {
                self.socket.flush().await?;
            }
            let mut io = self.socket.into_inner();
            io.shutdown().await?;
            if end.is_ours {
                tokio::io::copy(&mut io.take(MAX_LEFTOVER), &mut tokio::io::sink()).await?;
            }
            Ok::<_, Error>(())
        };
        match tokio::time::timeout(patience, goodbye).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the line broke before the close was done"),
            Err(_) => tracing::debug!("the peer did not answer the close in time"),
        }
    }
}
