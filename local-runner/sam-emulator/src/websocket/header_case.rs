//! Header names in the case in which clients write them. HTTP libraries fold it; `$connect` shows it.

/// `sec-websocket-key` → `Sec-WebSocket-Key`, `x-forwarded-for` → `X-Forwarded-For`.
///
/// The sent case itself is gone once hyper has read a request, so this writes each word as clients do.
pub(super) fn original(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, word) in name.split('-').enumerate() {
        if at > 0 {
            out.push('-');
        }
        match word {
            "websocket" => out.push_str("WebSocket"),
            "dnt" | "ua" => out.push_str(&word.to_ascii_uppercase()),
            _ => capitalise(word, &mut out),
        }
    }
    out
}

fn capitalise(word: &str, out: &mut String) {
    let mut letters = word.chars();
    out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
    out.push_str(letters.as_str());
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_written_as_clients_write_them() {
        for (folded, original) in [
            ("host", "Host"),
            ("sec-websocket-key", "Sec-WebSocket-Key"),
            ("x-amzn-trace-id", "X-Amzn-Trace-Id"),
            ("sec-ch-ua-mobile", "Sec-Ch-UA-Mobile"),
            ("x--y", "X--Y"),
        ] {
            assert_eq!(super::original(folded), original);
        }
    }
}
