//! Exchanging a refresh token for a new pair of tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::gate::Gate;
use super::open::TokenPair;
use super::token::{format_refresh_token, hash_refresh_token, parse_refresh_token};
use crate::error::{Error, Unauthenticated};
use crate::id::Entropy;
use crate::session::{Rotation, RotationRequest, Session};
use crate::time::Time;

/// The outcome of [`refresh`].
#[derive(Debug)]
pub enum Refreshed {
    /// The session lives on with this pair of tokens.
    Pair(Session, TokenPair),
    /// The token was replaced before; its session has been ended.
    Reused(Session),
    /// The session has ended, or the token was never one of its tokens.
    Unknown,
}

/// Exchanges `token` for a new pair. Within [`SessionPolicy::refresh_grace`](super::SessionPolicy) after an exchange, the
/// same token gets the same new refresh token again, with an access token of its own.
///
/// The repeat needs the new refresh token, but the store must not contain it in plain text. It is therefore stored
/// encrypted with a key that is derived from the replaced token, which is stored only as a hash.
///
/// # Errors
/// `Unauthenticated` with `UNAUTHENTICATED` for text that is no refresh token; `Unavailable`.
pub async fn refresh(gate: &Gate<'_>, token: &str, now: Time, entropy: &Entropy) -> Result<Refreshed, Error> {
    let id = parse_refresh_token(token).ok_or(Error::Unauthenticated(Unauthenticated::NoToken))?;
    let secret = entropy.secret();
    let new_token = format_refresh_token(&id, &secret);
    let request = RotationRequest {
        shown_hash: hash_refresh_token(token),
        new_hash: hash_refresh_token(&new_token),
        sealed_token: mask(token, &secret).ok_or_else(|| unreadable("new"))?,
        now,
        expires_at: now + gate.keys.refresh_ttl,
        lifetime: gate.policy.lifetime,
        grace: gate.policy.refresh_grace,
        id,
    };
    let (session, refresh_token) = match gate.sessions.rotate(&request).await? {
        Rotation::Rotated(session) => (session, new_token),
        Rotation::Repeated { session, sealed_token } => {
            let secret = mask(token, &sealed_token).ok_or_else(|| unreadable("stored"))?;
            let refresh_token = format_refresh_token(&session.id, &secret);
            (session, refresh_token)
        }
        Rotation::Reused(session) => return Ok(Refreshed::Reused(session)),
        Rotation::Unknown => return Ok(Refreshed::Unknown),
    };
    let access_token = gate.keys.issue(&session.user_id, &session.id, now, entropy)?;
    let pair = TokenPair {
        session_id: session.id.clone(),
        user: None,
        access_token,
        refresh_token,
        expires_in: gate.keys.access_ttl.as_secs(),
    };
    Ok(Refreshed::Pair(session, pair))
}

/// Encrypts or decrypts a secret of 256 bits: XOR with a pad that is derived from `token`. Each token is replaced once,
/// so each pad encrypts one stored secret. `None` if the text is no such secret.
fn mask(token: &str, secret: &str) -> Option<String> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
    let pad = Sha256::new().chain_update(b"ulak successor of ").chain_update(token.as_bytes()).finalize();
    let masked: Vec<u8> = bytes.iter().zip(pad).map(|(byte, pad)| byte ^ pad).collect();
    Some(URL_SAFE_NO_PAD.encode(masked))
}

fn unreadable(which: &str) -> Error {
    Error::Internal(format!("the {which} refresh token is not a secret of 256 bits").into())
}

#[cfg(test)]
mod tests {
    use super::mask;
    use crate::id::Entropy;

    #[test]
    fn successor_is_decrypted_by_the_replaced_token_only() {
        let secret = Entropy::seeded(1).secret();
        let sealed = mask("s.old", &secret).unwrap();
        assert_ne!(sealed, secret);
        assert_eq!(mask("s.old", &sealed), Some(secret.clone()));
        assert_ne!(mask("s.other", &sealed), Some(secret));
        assert_eq!(mask("s.old", "no secret"), None);
    }
}
