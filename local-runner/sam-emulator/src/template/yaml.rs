//! YAML text → [`Node`]. Short-form tags (`!Sub x`) become the long form (`{"Fn::Sub": x}`), so that the
//! rest of the reader knows one form. Depth and size are bounded; no recursion on input.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::TemplateError;
use super::node::Node;

/// CloudFormation's own limit for a template body is 1 MB.
const MAX_BYTES: usize = 1024 * 1024;
/// No template nests deeper; a bound keeps every later recursion small.
const MAX_DEPTH: usize = 64;

/// Parses one YAML (or JSON) document.
pub(crate) fn parse(text: &str) -> Result<Node, TemplateError> {
    if text.len() > MAX_BYTES {
        return Err(TemplateError::at("", format!("a template is at most {MAX_BYTES} bytes")));
    }
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            TemplateError::at(&format!("line {}", error.marker().line()), error.info().to_owned())
        })?;
        builder.take(event, span)?;
    }
    builder.root.ok_or_else(|| TemplateError::at("", "the template is empty"))
}

/// A collection whose end has not come yet.
struct Open {
    function: Option<&'static str>,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(String, Node)>, key: Option<String> },
}

#[derive(Default)]
struct Builder {
    stack: Vec<Open>,
    root: Option<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), TemplateError> {
        match event {
            Event::Scalar(text, style, _, tag) => {
                let function = function_of(tag.as_deref(), span)?;
                let node = scalar(text.into_owned(), style, tag.is_some());
                self.close(wrap(node, function), span)
            }
            Event::SequenceStart(_, tag) => self.open(tag.as_deref(), Content::List(Vec::new()), span),
            Event::MappingStart(_, tag) => {
                let content = Content::Map { entries: Vec::new(), key: None };
                self.open(tag.as_deref(), content, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            // CloudFormation has none either, and they would let a small file nest without end.
            Event::Alias(_) => Err(at(span, "aliases are not supported, by CloudFormation neither")),
            Event::DocumentStart(_) if self.root.is_some() => Err(at(span, "one document is enough")),
            _ => Ok(()),
        }
    }

    fn open(&mut self, tag: Option<&Tag>, content: Content, span: Span) -> Result<(), TemplateError> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(at(span, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let function = function_of(tag, span)?;
        self.stack.push(Open { function, content });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), TemplateError> {
        let Some(open) = self.stack.pop() else { return Err(at(span, "unbalanced collection")) };
        let node = match open.content {
            Content::List(items) => Node::List(items),
            Content::Map { entries, .. } => Node::Map(entries),
        };
        self.close(wrap(node, open.function), span)
    }

    /// Puts a finished node where it belongs: into the open collection, or at the root.
    fn close(&mut self, node: Node, span: Span) -> Result<(), TemplateError> {
        match self.stack.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key }) => match (key.take(), node) {
                (Some(name), node) => entries.push((name, node)),
                (None, Node::Text(name)) => *key = Some(new_key(entries, name, span)?),
                (None, _) => return Err(at(span, "a key must be a plain scalar")),
            },
        }
        Ok(())
    }
}

fn new_key(entries: &[(String, Node)], name: String, span: Span) -> Result<String, TemplateError> {
    if name == "<<" {
        return Err(at(span, "merge keys (<<) are not supported, by CloudFormation neither"));
    }
    if entries.iter().any(|(known, _)| *known == name) {
        return Err(at(span, format!("`{name}` is given twice")));
    }
    Ok(name)
}

fn scalar(text: String, style: ScalarStyle, tagged: bool) -> Node {
    let null = style == ScalarStyle::Plain && !tagged && matches!(text.as_str(), "" | "~" | "null" | "Null");
    if null { Node::Null } else { Node::Text(text) }
}

fn wrap(node: Node, function: Option<&'static str>) -> Node {
    match function {
        Some(name) => Node::Map(vec![(name.to_owned(), node)]),
        None => node,
    }
}

fn function_of(tag: Option<&Tag>, span: Span) -> Result<Option<&'static str>, TemplateError> {
    let Some(tag) = tag else { return Ok(None) };
    // `!!str` and its kin say what a scalar is; here all scalars are text.
    if tag.is_yaml_core_schema() {
        return Ok(None);
    }
    let function = match tag.suffix.as_str() {
        "Ref" => "Ref",
        "Condition" => "Condition",
        "Sub" => "Fn::Sub",
        "GetAtt" => "Fn::GetAtt",
        "Join" => "Fn::Join",
        "Split" => "Fn::Split",
        "Select" => "Fn::Select",
        "Base64" => "Fn::Base64",
        "FindInMap" => "Fn::FindInMap",
        "If" => "Fn::If",
        "And" => "Fn::And",
        "Or" => "Fn::Or",
        "Not" => "Fn::Not",
        "Equals" => "Fn::Equals",
        other => return Err(at(span, format!("the local runner does not know the tag !{other}"))),
    };
    Ok(Some(function))
}

fn at(span: Span, what: impl Into<String>) -> TemplateError {
    TemplateError::at(&format!("line {}", span.start.line()), what)
}
