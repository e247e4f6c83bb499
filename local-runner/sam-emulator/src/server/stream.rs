//! The socket of one client: tells the connection's state what the client sends and takes, and closes without
//! a reset after an early answer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::clients::Client;

/// Time to take what a client still sends after an early answer. A socket that is closed with unread data
/// resets the connection, and the client may lose the answer.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes that are taken in that time.
const MAX_LINGER: usize = 16 * 1024 * 1024;

/// A client's socket.
#[derive(Debug)]
pub(super) struct ClientStream {
    socket: TcpStream,
    client: Arc<Client>,
    linger: Option<Linger>,
}

#[derive(Debug)]
struct Linger {
    timeout: Pin<Box<Sleep>>,
    taken: usize,
}

impl ClientStream {
    pub(super) fn new(socket: TcpStream, client: Arc<Client>) -> Self {
        Self { socket, client, linger: None }
    }

    fn written(&self, result: &Poll<io::Result<usize>>) {
        match result {
            Poll::Pending => self.client.stalled(),
            Poll::Ready(_) => self.client.progressed(),
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.socket).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.client.received();
        }
        result
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.written(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write_vectored(cx, parts);
        self.written(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
            if !this.client.lingers() {
                return Poll::Ready(Ok(()));
            }
        }
        let linger =
            this.linger.get_or_insert_with(|| Linger { timeout: Box::pin(sleep(LINGER_TIMEOUT)), taken: 0 });
        while linger.taken < MAX_LINGER {
            let mut room = [0; 8 * 1024];
            let mut buffer = ReadBuf::new(&mut room);
            match Pin::new(&mut this.socket).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => linger.taken += buffer.filled().len(),
                Poll::Ready(_) => break,
                Poll::Pending => {
                    ready!(linger.timeout.as_mut().poll(cx));
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}
