//! Access tokens (JWTs signed with HS256) and refresh tokens (opaque to clients, stored as hashes).

use std::fmt;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::hs256;
use super::signing_secrets::{self, SigningSecret};
use crate::config::{Env, Secret};
use crate::error::{Error, Unauthenticated};
use crate::id::{Entropy, SessionId, UserId};
use crate::time::Time;

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub sub: UserId,
    /// The session; the token is revoked when it ends.
    pub sid: SessionId,
    /// The token's own id.
    pub jti: String,
    /// The issuer, `JWT_ISSUER`.
    pub iss: String,
    /// The audience, `JWT_AUDIENCE`.
    pub aud: String,
    /// When it was issued, in seconds since the Unix epoch.
    pub iat: i64,
    /// When it expires, in seconds since the Unix epoch.
    pub exp: i64,
    /// From when on it is valid, in seconds since the Unix epoch. Our tokens lack it: they are valid at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
}

/// Signs and checks access tokens, and holds the lifetimes of both kinds of tokens.
pub struct TokenKeys {
    /// The first one signs; all check.
    keys: Vec<Key>,
    validation: Validation,
    issuer: String,
    audience: String,
    /// The lifetime of an access token.
    pub access_ttl: Duration,
    /// The lifetime of a refresh token: a session that is not refreshed for so long expires.
    pub refresh_ttl: Duration,
}

struct Key {
    /// The `kid` of its tokens.
    id: Option<String>,
    signing: EncodingKey,
    checking: DecodingKey,
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKeys(…)")
    }
}

impl TokenKeys {
    /// From `JWT_SECRET` (required, at least 32 bytes; or several secrets as `id:secret|id:secret`, of which the first signs
    /// and all check), `JWT_ISSUER` and `JWT_AUDIENCE` (default `ulak`),
    /// `ACCESS_TOKEN_SECONDS` (default 900) and `REFRESH_TOKEN_SECONDS` (default 30 days).
    pub fn from_env(env: &mut Env) -> Self {
        let secret =
            env.required("JWT_SECRET", "set it to at least 32 random bytes; it signs the access tokens");
        let secrets = match signing_secrets::parse(&secret) {
            Ok(secrets) => secrets,
            Err(problems) => {
                // A missing secret is reported already.
                problems.into_iter().filter(|_| !secret.is_empty()).for_each(|problem| env.problem(problem));
                Vec::new()
            }
        };
        let issuer = env.optional("JWT_ISSUER").unwrap_or_else(|| "ulak".to_owned());
        let audience = env.optional("JWT_AUDIENCE").unwrap_or_else(|| "ulak".to_owned());
        let access = env.seconds("ACCESS_TOKEN_SECONDS", 15 * 60);
        let refresh = env.seconds("REFRESH_TOKEN_SECONDS", 30 * 24 * 3600);
        Self::of(secrets, &issuer, &audience, access, refresh)
    }

    /// Keys from one secret without an id, for one issuer and one audience.
    pub fn new(
        secret: &Secret,
        issuer: &str,
        audience: &str,
        access_ttl: Duration,
        refresh_ttl: Duration,
    ) -> Self {
        let secret = SigningSecret { id: None, secret: secret.clone() };
        Self::of(vec![secret], issuer, audience, access_ttl, refresh_ttl)
    }

    fn of(
        secrets: Vec<SigningSecret>,
        issuer: &str,
        audience: &str,
        access_ttl: Duration,
        refresh_ttl: Duration,
    ) -> Self {
        hs256::install();
        let key = |SigningSecret { id, secret }: SigningSecret| {
            let bytes = secret.reveal().as_bytes();
            Key { id, signing: EncodingKey::from_secret(bytes), checking: DecodingKey::from_secret(bytes) }
        };
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "sub", "iss", "aud"]);
        // `check` compares `exp` with its argument; the library would read the clock.
        validation.validate_exp = false;
        Self {
            keys: secrets.into_iter().map(key).collect(),
            validation,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            access_ttl,
            refresh_ttl,
        }
    }

    /// A new access token for a session.
    ///
    /// # Errors
    /// `Internal` if it cannot be signed.
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
            nbf: None,
        };
        let key = self.keys.first().ok_or_else(|| Error::Internal("no key signs tokens".into()))?;
        let header = Header { kid: key.id.clone(), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims, &key.signing).map_err(|e| Error::Internal(Box::new(e)))
    }

    /// The claims of an access token that this system signed and that has not expired. Does not look up the session.
    ///
    /// # Errors
    /// `NoToken` for any other text and for a token that is not valid yet; `Expired`.
    pub fn check(&self, token: &str, now: Time) -> Result<Claims, Unauthenticated> {
        // A token names its key. One without a name is from a key without an id, of which there is at most one.
        let kid = decode_header(token).map_err(|_| Unauthenticated::NoToken)?.kid;
        let key = self.keys.iter().find(|key| key.id == kid).ok_or(Unauthenticated::NoToken)?;
        let claims = decode::<Claims>(token, &key.checking, &self.validation)
            .map_err(|_| Unauthenticated::NoToken)?
            .claims;
        let seconds = now.millis() / 1000;
        if claims.nbf.is_some_and(|nbf| seconds < nbf) {
            return Err(Unauthenticated::NoToken);
        }
        if seconds >= claims.exp { Err(Unauthenticated::Expired) } else { Ok(claims) }
    }
}

/// The text of a refresh token: the session's id and a secret.
pub fn format_refresh_token(session: &SessionId, secret: &str) -> String {
    format!("{session}.{secret}")
}

/// The session that a refresh token names; `None` for text of another form. The secret is not checked.
pub fn parse_refresh_token(text: &str) -> Option<SessionId> {
    let (session, secret) = text.split_once('.')?;
    (text.len() <= 200 && !secret.is_empty()).then(|| SessionId::parse(session).ok()).flatten()
}

/// The SHA-256 of a refresh token in hex, as it is stored. The secret has 256 random bits, so no slow hash is needed.
pub fn hash_refresh_token(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

    use super::{Claims, TokenKeys, format_refresh_token, parse_refresh_token};
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
    fn access_token_is_accepted_until_it_expires_and_only_with_its_own_key() {
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
    fn token_is_accepted_while_its_key_is_listed_and_the_first_key_signs() {
        let (now, entropy) = (Time::from_millis(1_800_000_000_000), Entropy::seeded(3));
        let (user, session) = (UserId::fresh(now, &entropy), SessionId::fresh(now, &entropy));
        let [a, b, c] = ["a", "b", "c"].map(|letter| letter.repeat(32));
        let keys = |secrets: &str| {
            let mut env = Env::of([("JWT_SECRET".to_owned(), secrets.to_owned())]);
            let keys = TokenKeys::from_env(&mut env);
            env.finish().unwrap();
            keys
        };
        let (single, second, third) =
            (keys(&a), keys(&format!("k2:{b}|:{a}")), keys(&format!("k3:{c}|k2:{b}")));
        let issue = |keys: &TokenKeys| keys.issue(&user, &session, now, &entropy).unwrap();
        let tokens = [issue(&single), issue(&second), issue(&third)];
        let accepts = |keys: &TokenKeys| tokens.each_ref().map(|token| keys.check(token, now).is_ok());
        assert_eq!(accepts(&single), [true, false, false]);
        assert_eq!(accepts(&second), [true, true, false]);
        assert_eq!(accepts(&third), [false, true, true]);
        // The same id with another secret, and another id with the same secret.
        assert_eq!(accepts(&keys(&format!("k2:{c}|k3:{b}"))), [false; 3]);
    }

    #[test]
    fn access_token_is_refused_before_its_nbf() {
        let (now, entropy) = (Time::from_millis(1_800_000_000_000), Entropy::seeded(3));
        let (user, session) = (UserId::fresh(now, &entropy), SessionId::fresh(now, &entropy));
        let secret = "a".repeat(32);
        let issued = keys(&secret).issue(&user, &session, now, &entropy).unwrap();
        let claims = keys(&secret).check(&issued, now).unwrap();
        let claims = Claims { nbf: Some(claims.iat + 10), ..claims };
        let signing = EncodingKey::from_secret(secret.as_bytes());
        let token = encode(&Header::new(Algorithm::HS256), &claims, &signing).unwrap();
        let check = |later| keys(&secret).check(&token, now + Duration::from_secs(later)).map(|c| c.sid);
        assert_eq!(check(9), Err(Unauthenticated::NoToken));
        assert_eq!(check(10), Ok(session));
    }

    #[test]
    fn environment_problems_are_reported_together() {
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
    fn refresh_token_is_parsed_to_its_session_and_other_text_is_rejected() {
        let session = SessionId::trusted("01ABC");
        assert_eq!(parse_refresh_token(&format_refresh_token(&session, "s3cret")), Some(session));
        for hostile in ["", ".", "a.", "$.x", &format!("a.{}", "b".repeat(300))] {
            assert_eq!(parse_refresh_token(hostile), None, "{hostile}");
        }
    }
}
