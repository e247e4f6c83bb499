//! What the HTTP API and the WebSocket API share: API Gateway's ids, and how it writes time. The ids are
//! random but not secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use jiff::Timestamp;
use serde_json::Value;

/// The `apiId` of the HTTP API and of the WebSocket API: a template can have one of each.
pub(crate) const API_ID: &str = "local";

/// A request id or connection id: 15 base64 characters and `=`, like `LV7fzho-PHcEJPw=`.
#[must_use]
pub(crate) fn random_id() -> String {
    URL_SAFE.encode(rand::random::<[u8; 11]>())
}

/// The status of a proxy reply: a whole number, or its digits as text. `None` for anything else.
#[must_use]
pub(crate) fn reply_status(given: &Value) -> Option<u16> {
    match given {
        Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The value of `x-amzn-trace-id`, an X-Ray root: `Root=1-<8 hex: epoch seconds>-<24 hex>`.
#[must_use]
pub(crate) fn trace_root(now: Timestamp) -> String {
    let random = rand::random::<u128>() >> 32;
    format!("Root=1-{:08x}-{random:024x}", now.as_second() as u32)
}

/// The Common Log Format of `requestContext`: `21/Apr/2020:15:08:21 +0000`.
#[must_use]
pub(crate) fn log_time(now: Timestamp) -> String {
    now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    #[test]
    fn ids_and_times_have_the_format_of_api_gateway() {
        let id = super::random_id();
        assert!(id.len() == 16 && id.ends_with('='), "{id}");
        let now = Timestamp::from_second(0x5e9f_0001).unwrap();
        let trace = super::trace_root(now);
        assert!(trace.starts_with("Root=1-5e9f0001-"), "{trace}");
        assert_eq!(trace.len(), "Root=1-5e9f0001-000000000000000000000000".len());
        assert_eq!(super::log_time(now), "21/Apr/2020:14:15:29 +0000");
    }
}
