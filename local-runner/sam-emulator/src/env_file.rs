//! `--env-file`: `KEY=VALUE` lines, as shells and container tools write them. Pure.

use std::collections::BTreeMap;

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct EnvFileError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// Reads the text of an env file. Empty lines, `#` comments and a leading `export` are passed over; values
/// may be in single quotes (as they stand) or double quotes (`\n`, `\t`, `\"`, `\\`); later lines win.
///
/// # Errors
/// The first line that is no assignment, has a bad name, or does not close its quote.
pub fn parse(text: &str) -> Result<BTreeMap<String, String>, EnvFileError> {
    let mut values = BTreeMap::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if let Some((name, value)) =
            assignment(line).map_err(|what| EnvFileError { line: index + 1, what })?
        {
            values.insert(name, value);
        }
    }
    Ok(values)
}

fn assignment(line: &str) -> Result<Option<(String, String)>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=').ok_or("expected KEY=VALUE")?;
    let name = name.trim();
    let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(legal) {
        return Err("a name has letters, digits and _ only");
    }
    Ok(Some((name.to_owned(), unquote(value.trim())?)))
}

fn unquote(value: &str) -> Result<String, &'static str> {
    if let Some(rest) = value.strip_prefix('\'') {
        let (inside, after) = rest.split_once('\'').ok_or("the quote ' is not closed")?;
        return ended(after).map(|()| inside.to_owned());
    }
    if let Some(rest) = value.strip_prefix('"') {
        return double_quoted(rest);
    }
    // Unquoted: a comment begins at ` #`.
    Ok(value.split_once(" #").map_or(value, |(before, _)| before).trim_end().to_owned())
}

fn double_quoted(rest: &str) -> Result<String, &'static str> {
    let mut out = String::new();
    let mut letters = rest.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return ended(&rest[at + 1..]).map(|()| out),
            '\\' => match letters.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, other)) => out.push(other),
                None => break,
            },
            other => out.push(other),
        }
    }
    Err("the quote \" is not closed")
}

/// After a closing quote only a comment may follow.
fn ended(after: &str) -> Result<(), &'static str> {
    let after = after.trim_start();
    if after.is_empty() || after.starts_with('#') { Ok(()) } else { Err("text after the closing quote") }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn values_are_read_as_shells_write_them() {
        for (line, value) in [
            ("A=1", "1"),
            ("  A = 1  ", "1"),
            ("export A=1", "1"),
            ("A=", ""),
            ("A=a=b", "a=b"),
            ("A=1 # one", "1"),
            ("A=a#b", "a#b"),
            ("A='x \\n # y' # z", "x \\n # y"),
            ("A=\"x\\n\\\"y\\\" ü\"", "x\n\"y\" ü"),
            ("A=1\nA=2", "2"),
            ("# c\n\nA=1\r\n", "1"),
        ] {
            assert_eq!(parse(line).map(|values| values["A"].clone()).as_deref(), Ok(value), "{line}");
        }
    }

    #[test]
    fn broken_lines_are_named() {
        for (text, message) in [
            ("A", "line 1: expected KEY=VALUE"),
            ("\n=1", "line 2: a name has letters, digits and _ only"),
            ("A='x", "line 1: the quote ' is not closed"),
            ("A=\"x\\", "line 1: the quote \" is not closed"),
            ("A='x'y", "line 1: text after the closing quote"),
        ] {
            assert_eq!(parse(text).map_err(|error| error.to_string()), Err(message.to_owned()));
        }
    }
}
