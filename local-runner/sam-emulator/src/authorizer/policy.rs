//! IAM policies as Lambda authorizers write them: whether one allows `execute-api:Invoke` on an ARN.

use serde_json::Value;

const ACTION: &str = "execute-api:Invoke";

/// Whether a statement allows the ARN and none denies it. A statement with a condition, which is not evaluated,
/// denies and does not allow.
pub(super) fn allows(document: &Value, arn: &str) -> bool {
    let statements = items(document.get("Statement").unwrap_or(&Value::Null));
    let (mut allowed, mut denied) = (false, false);
    for statement in statements {
        let has_condition = statement.get("Condition").is_some();
        let matches = matches_any(statement.get("Action"), ACTION, true)
            && matches_any(statement.get("Resource"), arn, false);
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => allowed |= matches && !has_condition,
            Some("Deny") => denied |= matches,
            _ => {}
        }
    }
    allowed && !denied
}

/// Whether the policy has the form of one: its statements are objects.
pub(super) fn is_policy(document: &Value) -> bool {
    let statements = items(document.get("Statement").unwrap_or(&Value::Null));
    !statements.is_empty() && statements.iter().all(|statement| statement.is_object())
}

fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn matches_any(patterns: Option<&Value>, text: &str, any_case: bool) -> bool {
    let patterns = patterns.map(items).unwrap_or_default().into_iter().filter_map(Value::as_str);
    let same = |pattern: &str| match any_case {
        true => matches(&pattern.to_lowercase(), &text.to_lowercase()),
        false => matches(pattern, text),
    };
    patterns.into_iter().any(same)
}

/// `*` stands for any text, `?` for one character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // The last star and the place in the text up to which it reaches.
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, reached)) => {
                    star = Some((at, reached + 1));
                    (p, t) = (at + 1, reached + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::allows;

    #[test]
    fn a_deny_wins_and_wildcards_match() {
        let arn = "arn:aws:execute-api:us-east-1:123456789012:local/live/GET/a/b";
        let statement = |effect: &str, resource: &str| json!({ "Effect": effect, "Action": "execute-api:*", "Resource": resource });
        for (statements, expected) in [
            (json!([statement("Allow", "*")]), true),
            (json!(statement("Allow", "arn:aws:execute-api:*:*:local/*/GET/*")), true),
            (json!([statement("Allow", "arn:aws:execute-api:*:*:local/*/POST/*")]), false),
            (json!([statement("Allow", "*"), statement("Deny", "*/a/?")]), false),
            (
                json!([{ "Effect": "Allow", "Action": ["s3:Get", "execute-api:invoke"], "Resource": [arn] }]),
                true,
            ),
            (
                json!([{ "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*", "Condition": {} }]),
                false,
            ),
            (json!([]), false),
        ] {
            assert_eq!(allows(&json!({ "Statement": statements }), arn), expected, "{statements}");
        }
    }
}
