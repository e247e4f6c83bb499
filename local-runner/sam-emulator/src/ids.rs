//! Identifiers in the shapes AWS gives them. Random, not secret-grade.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

/// A version 4 UUID, lower case: Lambda's request id.
#[must_use]
pub fn uuid() -> String {
    let mut bytes: [u8; 16] = rand::random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// API Gateway's request id and connection id: 15 base64 characters and `=`, like `LV7fzho-PHcEJPw=`.
#[must_use]
pub fn gateway_id() -> String {
    URL_SAFE.encode(rand::random::<[u8; 11]>())
}

/// An X-Ray root, `Root=1-<8 hex: seconds>-<24 hex>`: the gateway's `x-amzn-trace-id`.
#[must_use]
pub fn trace_root(epoch_seconds: u64) -> String {
    let random = rand::random::<u128>() >> 32;
    format!("Root=1-{:08x}-{random:024x}", epoch_seconds as u32)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_have_the_shapes_of_aws() {
        let uuid = super::uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        let id = super::gateway_id();
        assert!(id.len() == 16 && id.ends_with('='), "{id}");
        assert_eq!(super::trace_root(0x5e9f_0001).len(), "Root=1-5e9f0001-000000000000000000000000".len());
    }
}
