//! Flow collections (`[…]`, `{…}`) and quoted text whose later lines are indented less than YAML 1.2 demands.
//! Other readers, CloudFormation's among them, do not look at the indentation inside them, so people write
//! the closing bracket below the key. [`indent`] moves such lines to the right; their numbers do not change.

/// The text with every line that begins inside a flow collection or a quoted scalar indented at least as far
/// as the bracket or quote that opened it.
pub(crate) fn indent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut state = State::default();
    for line in text.split_inclusive('\n') {
        let own = line.len() - line.trim_start_matches(' ').len();
        if let Some(column) = state.inside().filter(|column| own < *column) {
            out.extend(std::iter::repeat_n(' ', column - own));
        }
        out.push_str(line);
        state.line(line.trim_end_matches(['\n', '\r']), own);
    }
    out
}

#[derive(Default)]
struct State {
    /// Open brackets.
    depth: usize,
    /// The open quote.
    quote: Option<u8>,
    /// The column of the outermost open bracket or quote.
    column: usize,
    /// The indentation of the key or item whose block scalar (`|`, `>`) goes on.
    block: Option<usize>,
}

impl State {
    /// The column of what is open; `None` outside flow collections and quotes.
    fn inside(&self) -> Option<usize> {
        (self.depth > 0 || self.quote.is_some()).then_some(self.column)
    }

    fn line(&mut self, line: &str, own: usize) {
        let text = line.trim();
        if let Some(parent) = self.block.filter(|_| self.inside().is_none()) {
            if text.is_empty() || own > parent {
                return;
            }
            self.block = None;
        }
        self.scan(line.as_bytes(), own);
        if self.inside().is_none() && opens_block_scalar(text) {
            self.block = Some(parent_indent(line, own));
        }
    }

    /// Follows quotes and brackets through one line.
    fn scan(&mut self, line: &[u8], start: usize) {
        let mut at = start;
        // Whether a token may begin here: a quote or bracket inside a plain scalar opens nothing.
        let mut fresh = true;
        while at < line.len() {
            let byte = line[at];
            if let Some(quote) = self.quote {
                at += usize::from(quote == b'"' && byte == b'\\');
                if byte == quote {
                    self.quote = None;
                    fresh = false;
                }
            } else if byte == b'#' && (at == start || line[at - 1] == b' ') {
                return;
            } else {
                fresh = self.token(byte, at, fresh) || (fresh && is_prefix(line, at));
            }
            at += 1;
        }
    }

    /// Takes one byte outside quotes; returns whether a token may begin after it.
    fn token(&mut self, byte: u8, at: usize, fresh: bool) -> bool {
        if fresh && matches!(byte, b'\'' | b'"' | b'[' | b'{') && self.inside().is_none() {
            self.column = at;
        }
        match byte {
            b'\'' | b'"' if fresh => {
                self.quote = Some(byte);
                false
            }
            b'[' | b'{' if fresh => {
                self.depth += 1;
                true
            }
            b']' | b'}' if self.depth > 0 => {
                self.depth -= 1;
                false
            }
            b',' if self.depth > 0 => true,
            b':' => true,
            b' ' | b'-' => fresh,
            _ => false,
        }
    }
}

/// Whether this byte belongs to a tag (`!Sub`) or an anchor (`&a`), after which the value begins.
fn is_prefix(line: &[u8], at: usize) -> bool {
    let word = line[..=at].rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    matches!(word.first(), Some(b'!' | b'&'))
}

/// Whether the line ends in `|` or `>`, with indicators like `|-` or `>2`.
fn opens_block_scalar(text: &str) -> bool {
    let last = text.split(" #").next().unwrap_or_default().trim_end().rsplit(' ').next().unwrap_or_default();
    let rest = last.strip_prefix(['|', '>']);
    rest.is_some_and(|rest| rest.bytes().all(|byte| matches!(byte, b'+' | b'-' | b'0'..=b'9')))
}

/// The indentation of the key that a block scalar belongs to; `- ` before a key belongs to it.
fn parent_indent(line: &str, own: usize) -> usize {
    let mut indent = own;
    while line[indent..].starts_with("- ") && !line[indent + 2..].trim_start().starts_with(['|', '>']) {
        let rest = &line[indent + 2..];
        indent += 2 + rest.len() - rest.trim_start().len();
    }
    indent
}

#[cfg(test)]
mod tests {
    use super::indent;

    #[test]
    fn lines_inside_brackets_and_quotes_move_to_the_right_of_their_opening() {
        for (text, expected) in [
            ("a: [\n{ b: c }\n]\nd: e\n", "a: [\n   { b: c }\n   ]\nd: e\n"),
            ("a: !Join [\n'',\n[x]\n]\n", "a: !Join [\n         '',\n         [x]\n         ]\n"),
            ("a: \"x\ny\"\nb: c\n", "a: \"x\n   y\"\nb: c\n"),
            ("- a: |\n    [\n  b: [\n  ]\n", "- a: |\n    [\n  b: [\n     ]\n"),
            ("a: don't [\nb: c # [\nd: 'e''f'\n", "a: don't [\nb: c # [\nd: 'e''f'\n"),
        ] {
            assert_eq!(indent(text), expected);
        }
    }
}
