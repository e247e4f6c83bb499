//! The response of `InvokeWithResponseStream`: messages in the encoding `application/vnd.amazon.eventstream`
//! (Smithy specification, "Amazon Event Stream Specification").

use serde::Serialize;

pub(super) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// Bytes of payload of one message; the specification allows 24 MB, and readers are used to small ones.
const MAX_CHUNK: usize = 64 * 1024;
/// The type of a header's value: text.
const TEXT: u8 = 7;

/// The payload of the event `InvokeComplete`; every field is absent when the function succeeded.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InvokeComplete {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_details: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_result: Option<String>,
}

/// The whole stream: the payload as `PayloadChunk` events, then `InvokeComplete`.
pub(super) fn encode(payload: &[u8], complete: &InvokeComplete) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 512);
    for chunk in payload.chunks(MAX_CHUNK) {
        message(&mut out, "PayloadChunk", "application/octet-stream", chunk);
    }
    // Serializing three strings cannot fail.
    let complete = serde_json::to_vec(complete).unwrap_or_default();
    message(&mut out, "InvokeComplete", "application/json", &complete);
    out
}

/// One message: both lengths and their checksum, the headers, the payload, and the checksum of everything.
fn message(out: &mut Vec<u8>, event_type: &str, content_type: &str, payload: &[u8]) {
    let mut headers = Vec::new();
    for (name, value) in
        [(":event-type", event_type), (":content-type", content_type), (":message-type", "event")]
    {
        headers.push(name.len() as u8);
        headers.extend_from_slice(name.as_bytes());
        headers.push(TEXT);
        headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let start = out.len();
    // Two lengths and three checksums surround the headers and the payload.
    let total = 4 + 4 + 4 + headers.len() + payload.len() + 4;
    out.extend_from_slice(&(total as u32).to_be_bytes());
    out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    let prelude = crc32(&out[start..]);
    out.extend_from_slice(&prelude.to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload);
    let whole = crc32(&out[start..]);
    out.extend_from_slice(&whole.to_be_bytes());
}

/// The checksum of IEEE 802.3, which zlib and PNG use too.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8))
}

/// The checksum of every byte.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::{InvokeComplete, crc32, encode};

    #[test]
    fn a_message_has_the_lengths_and_checksums_of_the_specification() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let stream = encode(b"", &InvokeComplete::default());
        let total = u32::from_be_bytes(stream[..4].try_into().unwrap()) as usize;
        assert_eq!(total, stream.len());
        assert_eq!(crc32(&stream[..8]).to_be_bytes(), stream[8..12]);
        assert_eq!(crc32(&stream[..total - 4]).to_be_bytes(), stream[total - 4..]);
        assert!(stream[..total - 4].ends_with(b"event{}"));
    }
}
