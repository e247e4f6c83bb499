//! Route selection expressions, parsed once and evaluated for every message (API Gateway guide,
//! `apigateway-websocket-api-selection-expressions`).

use serde_json::Value;

/// A parsed `RouteSelectionExpression`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A value of the body: the steps of the path after `request.body`.
    Body(Vec<Step>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

/// The expression is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("RouteSelectionExpression {expression:?}: {what}")]
pub struct SelectionError {
    expression: String,
    what: &'static str,
}

impl Selection {
    /// Parses `$request.body.action`, `${request.body.a}/${request.body.b}`, static text, or `\$default`.
    ///
    /// # Errors
    /// [`SelectionError`] for a variable outside `request.body`, or a missing closing bracket.
    pub fn parse(expression: &str) -> Result<Self, SelectionError> {
        let fail = |what| SelectionError { expression: expression.to_owned(), what };
        if let Some(path) = expression.strip_prefix('$').filter(|rest| !rest.starts_with('{')) {
            return Ok(Self { pieces: vec![Piece::Body(body_path(path).map_err(fail)?)] });
        }
        Ok(Self { pieces: pieces(expression).map_err(fail)? })
    }

    /// The route key that `body` selects. A missing value counts as `""`. `None` when the body is not JSON.
    #[must_use]
    pub fn evaluate(&self, body: &str) -> Option<String> {
        let body: Value = serde_json::from_str(body).ok()?;
        let texts = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Body(steps) => look_up(&body, steps),
        });
        Some(texts.collect())
    }
}

fn pieces(expression: &str) -> Result<Vec<Piece>, &'static str> {
    let (mut pieces, mut text, mut rest) = (Vec::new(), String::new(), expression);
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("${") {
            let (inside, after) = after.split_once('}').ok_or("a ${ has no closing }")?;
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            // Templates use both `${request.body.a}` and `${$request.body.a}`.
            pieces.push(Piece::Body(body_path(inside.strip_prefix('$').unwrap_or(inside))?));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("\\$") {
            text.push('$');
            rest = after;
        } else {
            text.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    pieces.push(Piece::Text(text));
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    Ok(pieces)
}

/// `request.body.a['b'][0]` → the steps `a`, `b`, 0.
fn body_path(path: &str) -> Result<Vec<Step>, &'static str> {
    let mut rest = path.strip_prefix("request.body").ok_or("a variable must start with request.body")?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            if name.is_empty() {
                return Err("a name between two dots is empty");
            }
            steps.push(Step::Name(name.to_owned()));
            rest = after;
        } else {
            let (inside, after) =
                rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or("a [ has no closing ]")?;
            steps.push(bracket(inside)?);
            rest = after;
        }
    }
    Ok(steps)
}

fn bracket(inside: &str) -> Result<Step, &'static str> {
    let quoted = |quote| inside.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    match quoted('\'').or_else(|| quoted('"')) {
        Some(name) => Ok(Step::Name(name.to_owned())),
        None => {
            inside.parse().map(Step::Index).map_err(|_| "brackets must contain a quoted name or an index")
        }
    }
}

fn look_up(body: &Value, steps: &[Step]) -> String {
    let found = steps.iter().try_fold(body, |at, step| match step {
        Step::Name(name) => at.get(name),
        Step::Index(index) => at.get(index),
    });
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
