//! JSON Web Tokens, signed with RSA (API Gateway guide, `http-api-jwt-authorizer`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};
use serde_json::{Map, Value};

use super::keys::{Key, KeysError};
use crate::plan::JwtPlan;

/// Why a token is refused. The texts go into `error_description`, so they have no quotes.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    #[error("the token is not a JWT")]
    Malformed,
    #[error("the token is not signed with RSA")]
    Algorithm,
    #[error("the signature of the token is not valid")]
    Signature,
    #[error("the claim {0} of the token is not valid")]
    Claim(&'static str),
    #[error("the token has expired")]
    Expired,
    #[error("{0}")]
    Keys(#[from] KeysError),
}

/// A token whose signature is not verified yet.
pub(super) struct Token {
    pub(super) kid: String,
    pub(super) claims: Map<String, Value>,
    algorithm: &'static RsaParameters,
    /// Header and claims as they were signed.
    signed: String,
    signature: Vec<u8>,
}

/// `Bearer x` → `x`; the scheme may be absent.
pub(super) fn without_scheme(text: &str) -> &str {
    let is_bearer = text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer "));
    if is_bearer { text[7..].trim() } else { text.trim() }
}

pub(super) fn parse(text: &str) -> Result<Token, TokenError> {
    let parts: Vec<&str> = text.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return Err(TokenError::Malformed) };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
    let json = |part: &str| -> Result<Map<String, Value>, TokenError> {
        serde_json::from_slice(&decode(part)?).map_err(|_| TokenError::Malformed)
    };
    let fields = json(header)?;
    let text_of = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    Ok(Token {
        kid: text_of("kid").to_owned(),
        claims: json(claims)?,
        algorithm: match text_of("alg") {
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            "RS384" => &RSA_PKCS1_2048_8192_SHA384,
            "RS512" => &RSA_PKCS1_2048_8192_SHA512,
            _ => return Err(TokenError::Algorithm),
        },
        signed: format!("{header}.{claims}"),
        signature: decode(signature)?,
    })
}

pub(super) fn verify(token: &Token, key: &Key) -> Result<(), TokenError> {
    let key = RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent };
    let verified = key.verify(token.algorithm, token.signed.as_bytes(), &token.signature);
    verified.map_err(|_| TokenError::Signature)
}

/// Checks `iss`, `aud` or `client_id`, `exp`, `nbf` and `iat`; `now` is in seconds.
pub(super) fn check(claims: &Map<String, Value>, plan: &JwtPlan, now: i64) -> Result<(), TokenError> {
    if claims.get("iss").and_then(Value::as_str) != Some(&plan.issuer) {
        return Err(TokenError::Claim("iss"));
    }
    let audience = claims.get("aud").or_else(|| claims.get("client_id"));
    let audience: Vec<&str> = match audience {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    };
    if !plan.audience.is_empty()
        && !plan.audience.iter().any(|accepted| audience.contains(&accepted.as_str()))
    {
        return Err(TokenError::Claim("aud"));
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_f64).map(|seconds| seconds as i64);
    if time("exp").is_none_or(|end| end <= now) {
        return Err(TokenError::Expired);
    }
    for name in ["nbf", "iat"] {
        if time(name).is_some_and(|start| start > now) {
            return Err(TokenError::Claim(name));
        }
    }
    Ok(())
}

/// The scopes of a token: `scope`, or `scp` as some issuers name them.
pub(super) fn scopes(claims: &Map<String, Value>) -> Vec<String> {
    match claims.get("scope").or_else(|| claims.get("scp")) {
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The claims as functions see them: all of them text, a list as `[a b]`.
pub(super) fn as_text(claims: &Map<String, Value>) -> Map<String, Value> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items =
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            format!("[{}]", items.collect::<Vec<_>>().join(" "))
        }
        other => other.to_string(),
    };
    claims.iter().map(|(name, value)| (name.clone(), text(value).into())).collect()
}
