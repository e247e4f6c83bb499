//! Asking a runner that is up already: a command given in another terminal must meet the functions, the
//! sockets and the stores of the process that serves.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::output::BoxError;

/// How long a connect may take before nobody is there.
const KNOCK: Duration = Duration::from_millis(500);
/// The longest that a function may run on Lambda, and a little more.
const PATIENCE: Duration = Duration::from_secs(16 * 60);

/// A whole answer.
pub(crate) type Answer = http::Response<Bytes>;

/// One request to whatever listens at `address`; `None` when nothing does.
///
/// # Errors
/// Something listens there that does not speak HTTP.
pub(crate) async fn ask(
    address: SocketAddr,
    method: Method,
    path: &str,
    body: Bytes,
) -> Result<Option<Answer>, BoxError> {
    let Ok(Ok(stream)) = timeout(KNOCK, TcpStream::connect(address)).await else { return Ok(None) };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::HOST, address.to_string())
        .body(Full::new(body))?;
    let answer = timeout(PATIENCE, async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok::<_, hyper::Error>(Answer::from_parts(head, body.collect().await?.to_bytes()))
    });
    let answer = answer.await??;
    driver.abort();
    Ok(Some(answer))
}
