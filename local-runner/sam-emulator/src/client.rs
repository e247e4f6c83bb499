//! An HTTP client for the port of a running emulator. A command given in another terminal must use the
//! functions, sockets and stores of the process that serves.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::output::BoxError;

/// Time to connect; after it the port counts as closed.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// Longer than the 15 minutes that Lambda gives a function.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(16 * 60);

/// A response with its whole body.
pub(crate) type ClientResponse = http::Response<Bytes>;

/// Sends one request to `address`; `None` when nothing listens there.
///
/// # Errors
/// The listener does not speak HTTP, the response breaks off, or it takes longer than [`RESPONSE_TIMEOUT`].
pub(crate) async fn send(
    address: SocketAddr,
    method: Method,
    path: &str,
    body: Bytes,
) -> Result<Option<ClientResponse>, BoxError> {
    send_with(address, method, path, &[], body).await
}

/// Sends one request with further headers, like [`send`].
pub(crate) async fn send_with(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<Option<ClientResponse>, BoxError> {
    let Ok(Ok(stream)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await else {
        return Ok(None);
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let mut request =
        Request::builder().method(method).uri(path).header(http::header::HOST, address.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body))?;
    let response = timeout(RESPONSE_TIMEOUT, async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok::<_, hyper::Error>(ClientResponse::from_parts(head, body.collect().await?.to_bytes()))
    });
    let response = response.await??;
    driver.abort();
    Ok(Some(response))
}
