//! The public keys of issuers: fetched from the address that `/.well-known/openid-configuration` names, and
//! kept.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// Time for one request to an issuer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a document of an issuer.
const MAX_BYTES: usize = 256 * 1024;
/// An issuer is not asked again for an unknown key before this time.
const PAUSE: Duration = Duration::from_secs(10);

/// An RSA key: two numbers, big-endian.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) modulus: Vec<u8>,
    pub(super) exponent: Vec<u8>,
}

/// Why a key is not known.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum KeysError {
    #[error("the keys of the issuer cannot be read: {0}")]
    Unreachable(String),
    #[error("the issuer has no key with the id of the token")]
    Unknown,
}

/// The keys of every issuer asked so far.
#[derive(Default)]
pub(super) struct Keys {
    by_issuer: Mutex<HashMap<String, Issuer>>,
}

struct Issuer {
    fetched: Instant,
    keys: HashMap<String, Key>,
}

impl Keys {
    /// The key `kid` of an issuer. Unknown keys are looked up again, but not often.
    pub(super) async fn get(&self, issuer: &str, kid: &str) -> Result<Key, KeysError> {
        let mut all = self.by_issuer.lock().await;
        if let Some(known) = all.get(issuer) {
            match known.keys.get(kid) {
                Some(key) => return Ok(key.clone()),
                None if known.fetched.elapsed() < PAUSE => return Err(KeysError::Unknown),
                None => {}
            }
        }
        let keys = fetch(issuer).await?;
        let found = keys.get(kid).cloned();
        all.insert(issuer.to_owned(), Issuer { fetched: Instant::now(), keys });
        found.ok_or(KeysError::Unknown)
    }
}

async fn fetch(issuer: &str) -> Result<HashMap<String, Key>, KeysError> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let configuration = get_json(&address).await?;
    let keys = configuration.get("jwks_uri").and_then(Value::as_str);
    let keys = keys.ok_or_else(|| KeysError::Unreachable(format!("{address} names no jwks_uri")))?;
    let document = get_json(keys).await?;
    let list = document.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(list.iter().filter_map(read_key).collect())
}

fn read_key(key: &Value) -> Option<(String, Key)> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let number = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    if text("kty") != Some("RSA") {
        return None;
    }
    let key = Key { modulus: number("n")?, exponent: number("e")? };
    Some((text("kid").unwrap_or_default().to_owned(), key))
}

async fn get_json(address: &str) -> Result<Value, KeysError> {
    let failed = |what: String| KeysError::Unreachable(format!("{address}: {what}"));
    let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let uri: http::Uri = address.parse().map_err(|_| failed("not a URL".to_owned()))?;
    let read = async {
        let response = client.get(uri).await.map_err(|error| failed(error.to_string()))?;
        if !response.status().is_success() {
            return Err(failed(format!("answered {}", response.status().as_u16())));
        }
        let body = Limited::new(response.into_body(), MAX_BYTES).collect().await;
        Ok(body.map_err(|error| failed(error.to_string()))?.to_bytes())
    };
    let body = timeout(TIMEOUT, read).await.map_err(|_| failed("no answer in time".to_owned()))??;
    serde_json::from_slice(&body).map_err(|_| failed("not JSON".to_owned()))
}
