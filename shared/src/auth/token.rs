//! Access tokens (JWT, HS256, 15 minutes) and refresh tokens (opaque, stored hashed).

use std::fmt;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::hs256;
use crate::config::{Env, Secret};
use crate::error::{Error, Unauthenticated};
use crate::id::{Entropy, SessionId, UserId};
use crate::time::Time;

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Whose.
    pub sub: UserId,
    /// Of which session.
    pub sid: SessionId,
    /// This token's own id.
    pub jti: String,
    /// Who made it.
    pub iss: String,
    /// For whom.
    pub aud: String,
    /// Made at, in seconds since the Unix epoch.
    pub iat: i64,
    /// Good until, likewise.
    pub exp: i64,
}

/// Signs and checks access tokens, and knows how long tokens live.
pub struct TokenKeys {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    issuer: String,
    audience: String,
    /// How long an access token is good.
    pub access_ttl: Duration,
    /// How long a session lives without a refresh.
    pub refresh_ttl: Duration,
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKeys(…)")
    }
}

/// The shortest secret that is accepted, in bytes.
const SHORTEST_SECRET: usize = 32;

impl TokenKeys {
    /// From `JWT_SECRET` (required, at least 32 bytes), `JWT_ISSUER` and `JWT_AUDIENCE` (default `ulak`),
    /// `ACCESS_TOKEN_SECONDS` (default 900) and `REFRESH_TOKEN_SECONDS` (default 30 days).
    pub fn from_env(env: &mut Env) -> Self {
        let secret = env.required("JWT_SECRET", "at least 32 random bytes that sign the access tokens");
        if !secret.is_empty() && secret.len() < SHORTEST_SECRET {
            env.problem(format!("JWT_SECRET is too short: use at least {SHORTEST_SECRET} bytes"));
        }
        let issuer = env.optional("JWT_ISSUER").unwrap_or_else(|| "ulak".to_owned());
        let audience = env.optional("JWT_AUDIENCE").unwrap_or_else(|| "ulak".to_owned());
        let access = env.seconds("ACCESS_TOKEN_SECONDS", 15 * 60);
        let refresh = env.seconds("REFRESH_TOKEN_SECONDS", 30 * 24 * 3600);
        Self::new(&Secret::new(secret), &issuer, &audience, access, refresh)
    }

    /// Keys from a secret.
    pub fn new(
        secret: &Secret,
        issuer: &str,
        audience: &str,
        access_ttl: Duration,
        refresh_ttl: Duration,
    ) -> Self {
        hs256::install();
        let bytes = secret.reveal().as_bytes();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "sub", "iss", "aud"]);
        // `now` is an input here, and the library would read the clock.
        validation.validate_exp = false;
        Self {
            signing: EncodingKey::from_secret(bytes),
            checking: DecodingKey::from_secret(bytes),
            validation,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            access_ttl,
            refresh_ttl,
        }
    }

    /// A new access token.
    pub fn issue(
        &self,
        user: &UserId,
        session: &SessionId,
        now: Time,
        entropy: &Entropy,
    ) -> Result<String, Error> {
        let claims = Claims {
            sub: user.clone(),
            sid: session.clone(),
            jti: entropy.id(now),
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            iat: now.millis() / 1000,
            exp: (now + self.access_ttl).millis() / 1000,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|e| Error::Internal(Box::new(e)))
    }

    /// What a token says, if it is ours and its time is not over.
    pub fn check(&self, token: &str, now: Time) -> Result<Claims, Unauthenticated> {
        let claims = decode::<Claims>(token, &self.checking, &self.validation)
            .map_err(|_| Unauthenticated::NoToken)?
            .claims;
        if now.millis() / 1000 >= claims.exp { Err(Unauthenticated::Expired) } else { Ok(claims) }
    }
}

/// The refresh token that a client holds: the session's id and a secret.
pub fn format_refresh_token(session: &SessionId, secret: &str) -> String {
    format!("{session}.{secret}")
}

/// The session of a refresh token; `None` when it cannot be one.
pub fn parse_refresh_token(text: &str) -> Option<SessionId> {
    let (session, secret) = text.split_once('.')?;
    (text.len() <= 200 && !secret.is_empty()).then(|| SessionId::parse(session).ok()).flatten()
}

/// What is stored of a refresh token: SHA-256 in hex. The secret has 256 random bits, so that no slow hash
/// is needed.
pub fn hash_refresh_token(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{TokenKeys, format_refresh_token, parse_refresh_token};
    use crate::auth::Rates;
    use crate::config::{Env, Secret};
    use crate::error::Unauthenticated;
    use crate::id::{Entropy, SessionId, UserId};
    use crate::time::Time;

    fn keys(secret: &str) -> TokenKeys {
        TokenKeys::new(
            &Secret::new(secret),
            "ulak",
            "ulak",
            Duration::from_secs(900),
            Duration::from_secs(9_000),
        )
    }

    #[test]
    fn a_token_is_good_until_its_end_and_only_with_its_key() {
        let (now, entropy) = (Time::from_millis(1_800_000_000_000), Entropy::seeded(3));
        let (user, session) = (UserId::fresh(now, &entropy), SessionId::fresh(now, &entropy));
        let token = keys("a".repeat(32).as_str()).issue(&user, &session, now, &entropy).unwrap();
        let check = |secret: &str, token: &str, later| {
            keys(&secret.repeat(32)).check(token, now + Duration::from_secs(later)).map(|c| c.sid)
        };
        assert_eq!(check("a", &token, 899), Ok(session));
        assert_eq!(check("a", &token, 900), Err(Unauthenticated::Expired));
        assert_eq!(check("b", &token, 0), Err(Unauthenticated::NoToken));
        let payload = token.split('.').nth(1).unwrap();
        let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
        for hostile in ["", "a.b.c", &unsigned, &token[..token.len() - 2]] {
            assert_eq!(check("a", hostile, 0), Err(Unauthenticated::NoToken), "{hostile}");
        }
    }

    #[test]
    fn configuration_problems_are_reported_together() {
        let mut env = Env::of([("RATE_LIMIT_SCALE".to_owned(), "much".to_owned())]);
        TokenKeys::from_env(&mut env);
        Rates::from_env(&mut env);
        let problems = env.finish().unwrap_err().to_string();
        assert!(
            problems.contains("JWT_SECRET is missing") && problems.contains("RATE_LIMIT_SCALE"),
            "{problems}"
        );
    }

    #[test]
    fn refresh_tokens_name_their_session() {
        let session = SessionId::trusted("01ABC");
        assert_eq!(parse_refresh_token(&format_refresh_token(&session, "s3cret")), Some(session));
        for hostile in ["", ".", "a.", "$.x", &format!("a.{}", "b".repeat(300))] {
            assert_eq!(parse_refresh_token(hostile), None, "{hostile}");
        }
    }
}
