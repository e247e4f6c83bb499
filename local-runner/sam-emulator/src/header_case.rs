//! The case of header names in the events that keep the client's: `$connect`, and payload format 1.0.

/// `sec-websocket-key` → `Sec-WebSocket-Key`, `x-forwarded-for` → `X-Forwarded-For`.
///
/// AWS shows the case that the client sent. hyper does not keep it, so this uses the case that most clients
/// send.
pub(crate) fn usual_case(name: &str) -> String {
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
    fn header_names_get_the_case_that_most_clients_send() {
        for (lower_case, usual) in [
            ("host", "Host"),
            ("sec-websocket-key", "Sec-WebSocket-Key"),
            ("x-amzn-trace-id", "X-Amzn-Trace-Id"),
            ("sec-ch-ua-mobile", "Sec-Ch-UA-Mobile"),
            ("x--y", "X--Y"),
        ] {
            assert_eq!(super::usual_case(lower_case), usual);
        }
    }
}
