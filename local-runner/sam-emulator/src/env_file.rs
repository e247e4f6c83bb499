//! `--env-file`: `KEY=VALUE` lines, in the syntax that shells and container tools share.

use std::collections::BTreeMap;

/// Why an env file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct EnvFileError {
    /// The line number, from 1.
    pub line: usize,
    /// What is wrong in that line.
    pub what: &'static str,
}

/// Parses an env file. Empty lines, `#` comments and a leading `export` are ignored. A value may be in single
/// quotes (no escapes) or double quotes (`\n`, `\t`, `\"`, `\\`). If a name occurs twice, the later line
/// wins.
///
/// # Errors
/// The first line that is not an assignment, has an invalid name, or has no closing quote.
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
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(is_allowed) {
        return Err("a name may contain letters, digits, '_', '.' and '-' only");
    }
    Ok(Some((name.to_owned(), unquote(value.trim())?)))
}

fn unquote(value: &str) -> Result<String, &'static str> {
    if let Some(rest) = value.strip_prefix('\'') {
        let (inside, after) = rest.split_once('\'').ok_or("the closing quote ' is missing")?;
        return check_after_quote(after).map(|()| inside.to_owned());
    }
    if let Some(rest) = value.strip_prefix('"') {
        return double_quoted(rest);
    }
    // In an unquoted value ` #` starts a comment.
    Ok(value.split_once(" #").map_or(value, |(before, _)| before).trim_end().to_owned())
}

fn double_quoted(rest: &str) -> Result<String, &'static str> {
    let mut out = String::new();
    let mut letters = rest.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return check_after_quote(&rest[at + 1..]).map(|()| out),
            '\\' => match letters.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, other)) => out.push(other),
                None => break,
            },
            other => out.push(other),
        }
    }
    Err("the closing quote \" is missing")
}

/// Only a comment may follow a closing quote.
fn check_after_quote(after: &str) -> Result<(), &'static str> {
    let after = after.trim_start();
    if after.is_empty() || after.starts_with('#') {
        Ok(())
    } else {
        Err("only a comment may follow the closing quote")
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn quotes_escapes_and_comments_are_parsed_like_in_a_shell() {
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
    fn an_invalid_line_is_an_error_with_its_number() {
        for (text, message) in [
            ("A", "line 1: expected KEY=VALUE"),
            ("\n=1", "line 2: a name may contain letters, digits, '_', '.' and '-' only"),
            ("A='x", "line 1: the closing quote ' is missing"),
            ("A=\"x\\", "line 1: the closing quote \" is missing"),
            ("A='x'y", "line 1: only a comment may follow the closing quote"),
        ] {
            assert_eq!(parse(text).map_err(|error| error.to_string()), Err(message.to_owned()));
        }
    }
}
