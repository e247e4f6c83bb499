//! YAML text → [`Node`]. Short-form tags (`!Sub x`) become the long form (`{"Fn::Sub": x}`), so that the
//! other modules handle one form. Depth and size are limited, and the parser does not recurse.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::error::TemplateError;
use super::node::Node;

/// CloudFormation's limit for a template body: 1 MB.
const MAX_BYTES: usize = 1024 * 1024;
/// Levels of nesting. The limit bounds every recursion over the tree.
const MAX_DEPTH: usize = 64;

/// Parses one YAML (or JSON) document.
pub(crate) fn parse(text: &str) -> Result<Node, TemplateError> {
    if text.len() > MAX_BYTES {
        let what = format!("the template has {} bytes; the limit is {MAX_BYTES}", text.len());
        return Err(TemplateError::at("", what));
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

/// A collection that the parser has not finished.
struct OpenCollection {
    /// The intrinsic of its tag, if it has one.
    function: Option<&'static str>,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    /// `key` is the key that still has no value.
    Map {
        entries: Vec<(String, Node)>,
        key: Option<String>,
    },
}

#[derive(Default)]
struct Builder {
    stack: Vec<OpenCollection>,
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
            // Besides, aliases would let a small file expand without limit.
            Event::Alias(_) => Err(at(span, "YAML aliases are not supported (nor by CloudFormation)")),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(at(span, "a second YAML document is not supported; a template is one document"))
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, tag: Option<&Tag>, content: Content, span: Span) -> Result<(), TemplateError> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(at(span, format!("the template is nested deeper than {MAX_DEPTH} levels")));
        }
        let function = function_of(tag, span)?;
        self.stack.push(OpenCollection { function, content });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), TemplateError> {
        let Some(open) = self.stack.pop() else {
            return Err(at(span, "a list or map ends that was not begun"));
        };
        let node = match open.content {
            Content::List(items) => Node::List(items),
            Content::Map { entries, .. } => Node::Map(entries),
        };
        self.close(wrap(node, open.function), span)
    }

    /// Adds a finished node to the innermost open collection, or makes it the root.
    fn close(&mut self, node: Node, span: Span) -> Result<(), TemplateError> {
        match self.stack.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key }) => match (key.take(), node) {
                (Some(name), node) => entries.push((name, node)),
                (None, Node::Text(name)) => *key = Some(new_key(entries, name, span)?),
                (None, _) => return Err(at(span, "a key of a map must be a plain scalar")),
            },
        }
        Ok(())
    }
}

fn new_key(entries: &[(String, Node)], name: String, span: Span) -> Result<String, TemplateError> {
    if name == "<<" {
        return Err(at(span, "YAML merge keys (<<) are not supported (nor by CloudFormation)"));
    }
    if entries.iter().any(|(other, _)| *other == name) {
        return Err(at(span, format!("the key `{name}` is used twice in one map")));
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
    // `!!str` and the other core tags give a scalar's type; here every scalar is text.
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
        other => return Err(at(span, format!("the tag !{other} is not supported"))),
    };
    Ok(Some(function))
}

fn at(span: Span, what: impl Into<String>) -> TemplateError {
    TemplateError::at(&format!("line {}", span.start.line()), what)
}
