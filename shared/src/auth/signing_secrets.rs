//! The secrets that sign access tokens: one, or several with key ids, so that a secret can be replaced without logging
//! anybody out.

use std::collections::HashSet;

use crate::config::Secret;

/// The least bytes of a secret.
const SHORTEST: usize = 32;

/// The longest key id, in bytes.
const LONGEST_ID: usize = 32;

/// A secret with the id that tokens name it by; a secret without an id checks tokens that name none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SigningSecret {
    pub(super) id: Option<String>,
    pub(super) secret: Secret,
}

/// Parses `JWT_SECRET`. A text without `|` is one secret without an id. Otherwise it is a list of `id:secret`, separated by
/// `|`; the first one signs. A secret that had no id is listed as `:secret`.
///
/// # Errors
/// Every problem, without any part of a secret.
pub(super) fn parse(text: &str) -> Result<Vec<SigningSecret>, Vec<String>> {
    if !text.contains('|') {
        let problem = length_problem("JWT_SECRET", text);
        let secret = SigningSecret { id: None, secret: Secret::new(text) };
        return problem.map_or_else(|| Ok(vec![secret]), |problem| Err(vec![problem]));
    }
    let (mut secrets, mut problems, mut ids) = (Vec::new(), Vec::new(), HashSet::new());
    for (number, entry) in text.split('|').enumerate() {
        let name = format!("JWT_SECRET: entry {}", number + 1);
        let Some((id, secret)) = entry.split_once(':').filter(|(id, _)| is_id(id)) else {
            problems.push(format!("{name} must be `id:secret`, or `:secret` for a secret that had no id"));
            continue;
        };
        if !ids.insert(id) {
            problems.push(format!("{name} has the id of an earlier entry"));
        }
        problems.extend(length_problem(&name, secret));
        let id = (!id.is_empty()).then(|| id.to_owned());
        secrets.push(SigningSecret { id, secret: Secret::new(secret) });
    }
    if problems.is_empty() { Ok(secrets) } else { Err(problems) }
}

/// Up to 32 letters, digits, `-` or `_`; none for a secret without an id.
fn is_id(text: &str) -> bool {
    text.len() <= LONGEST_ID && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn length_problem(name: &str, secret: &str) -> Option<String> {
    let bytes = secret.len();
    (bytes < SHORTEST).then(|| format!("{name} has {bytes} bytes: use at least {SHORTEST} random ones"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn one_secret_or_a_list_with_ids_is_accepted() {
        let (a, b) = ("a:, ".repeat(10), "b".repeat(32));
        let shown = |text: &str| -> Vec<(Option<String>, String)> {
            let secrets = parse(text).unwrap().into_iter();
            secrets.map(|one| (one.id, one.secret.reveal().to_owned())).collect()
        };
        assert_eq!(shown(&a), [(None, a.clone())]);
        let id = |text: &str| Some(text.to_owned());
        assert_eq!(shown(&format!("2026-12:{a}|:{b}")), [(id("2026-12"), a.clone()), (None, b.clone())]);
        assert_eq!(shown(&format!("new:{b}|old:{a}")), [(id("new"), b), (id("old"), a)]);
    }

    #[test]
    fn problems_are_reported_without_the_secrets() {
        let secret = "s3cret".repeat(6);
        for text in [
            "s3cret".to_owned(),
            format!("{secret}|{secret}"),
            format!("a:{secret}|a:{secret}"),
            format!("a:{secret}|b:s3cret"),
            format!("a b:{secret}|c:{secret}"),
            format!("a:{secret}|"),
        ] {
            let problems = parse(&text).unwrap_err().join(" ");
            assert!(problems.contains("JWT_SECRET") && !problems.contains("s3cret"), "{text} {problems}");
        }
    }
}
