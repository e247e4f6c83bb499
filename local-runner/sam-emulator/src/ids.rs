//! Identifiers in the shapes AWS gives them. Random, not secret-grade.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

/// The `apiId` of the HTTP API and of the WebSocket API: each template has one of either.
pub(crate) const API_ID: &str = "local";

/// API Gateway's request id and connection id: 15 base64 characters and `=`, like `LV7fzho-PHcEJPw=`.
#[must_use]
pub(crate) fn gateway_id() -> String {
    URL_SAFE.encode(rand::random::<[u8; 11]>())
}

/// An X-Ray root, `Root=1-<8 hex: seconds>-<24 hex>`: the gateway's `x-amzn-trace-id`.
#[must_use]
pub(crate) fn trace_root(epoch_seconds: u64) -> String {
    let random = rand::random::<u128>() >> 32;
    format!("Root=1-{:08x}-{random:024x}", epoch_seconds as u32)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_have_the_shapes_of_aws() {
        let id = super::gateway_id();
        assert!(id.len() == 16 && id.ends_with('='), "{id}");
        assert_eq!(super::trace_root(0x5e9f_0001).len(), "Root=1-5e9f0001-000000000000000000000000".len());
    }
}
