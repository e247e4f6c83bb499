//! YAML text → [`Node`]. Short-form tags (`!Sub x`) become the long form (`{"Fn::Sub": x}`), so that the
//! other modules handle one form. Depth and size are limited, and the parser does not recurse.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use std::collections::HashMap;

use super::error::TemplateError;
use super::flow;
use super::node::Node;

/// CloudFormation's limit for a template body: 1 MB.
const MAX_BYTES: usize = 1024 * 1024;
/// Levels of nesting. The limit bounds every recursion over the tree.
const MAX_DEPTH: usize = 64;
/// Nodes that aliases may copy.
const MAX_COPIED: usize = 100_000;

/// Parses one YAML (or JSON) document.
pub(crate) fn parse(text: &str) -> Result<Document, TemplateError> {
    if text.len() > MAX_BYTES {
        let what = format!("the template has {} bytes; the limit is {MAX_BYTES}", text.len());
        return Err(TemplateError::at("", what));
    }
    match build(text) {
        Err(error) if error.what.starts_with("invalid indentation") => build(&flow::indent(text)),
        result => result,
    }
}

/// The document, and the keys of which it has duplicates.
fn build(text: &str) -> Result<Document, TemplateError> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            TemplateError::at(&format!("line {}", error.marker().line()), error.info().to_owned())
        })?;
        builder.take(event, span)?;
    }
    let root = builder.root.ok_or_else(|| TemplateError::at("", "the template is empty"))?;
    Ok(Document { root, remarks: builder.remarks })
}

/// One parsed document.
pub(crate) struct Document {
    pub(crate) root: Node,
    /// What another reader might take differently, each as one sentence.
    pub(crate) remarks: Vec<String>,
}

/// A collection that the parser has not finished.
struct OpenCollection {
    /// The intrinsic of its tag, if it has one.
    function: Option<&'static str>,
    content: Content,
    /// The parser's number of its anchor; 0 without one.
    anchor: usize,
}

enum Content {
    List(Vec<Node>),
    /// `key` is the key that still has no value; `inherited` are the entries of merge keys.
    Map {
        entries: Vec<(String, Node)>,
        inherited: Vec<(String, Node)>,
        key: Option<String>,
    },
}

#[derive(Default)]
struct Builder {
    stack: Vec<OpenCollection>,
    root: Option<Node>,
    /// Finished nodes that have an anchor.
    anchors: HashMap<usize, Node>,
    /// Nodes that aliases have copied so far.
    copied: usize,
    remarks: Vec<String>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), TemplateError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let function = function_of(tag.as_deref(), span)?;
                let node = wrap(scalar(text.into_owned(), style, tag.is_some()), function);
                self.close(node, anchor, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(tag.as_deref(), anchor, Content::List(Vec::new()), span)
            }
            Event::MappingStart(anchor, tag) => {
                let content = Content::Map { entries: Vec::new(), inherited: Vec::new(), key: None };
                self.open(tag.as_deref(), anchor, content, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(at(span, "a second YAML document is not supported; a template is one document"))
            }
            _ => Ok(()),
        }
    }

    fn open(
        &mut self,
        tag: Option<&Tag>,
        anchor: usize,
        content: Content,
        span: Span,
    ) -> Result<(), TemplateError> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(at(span, format!("the template is nested deeper than {MAX_DEPTH} levels")));
        }
        let function = function_of(tag, span)?;
        self.stack.push(OpenCollection { function, content, anchor });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), TemplateError> {
        let Some(open) = self.stack.pop() else {
            return Err(at(span, "a list or map ends that was not begun"));
        };
        let node = match open.content {
            Content::List(items) => Node::List(items),
            Content::Map { mut entries, inherited, .. } => {
                let is_new = |key: &str| !entries.iter().any(|(other, _)| other == key);
                let inherited: Vec<_> = inherited.into_iter().filter(|(key, _)| is_new(key)).collect();
                entries.extend(inherited);
                Node::Map(entries)
            }
        };
        self.close(wrap(node, open.function), open.anchor, span)
    }

    /// A copy of the node with this anchor. SAM CLI resolves aliases before it deploys a template. The limits
    /// hold for the result, or a small file could expand without end.
    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), TemplateError> {
        let node = self.anchors.get(&anchor).cloned();
        let node = node.ok_or_else(|| at(span, "this alias is inside the value that it names"))?;
        let (size, depth) = measure(&node);
        self.copied += size;
        if self.copied > MAX_COPIED || self.stack.len() + depth > MAX_DEPTH {
            return Err(at(span, "the aliases of this template expand without limit"));
        }
        self.close(node, 0, span)
    }

    /// Adds a finished node to the innermost open collection, or makes it the root.
    fn close(&mut self, node: Node, anchor: usize, span: Span) -> Result<(), TemplateError> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, inherited, key }) => match (key.take(), node) {
                (Some(name), node) if name == "<<" => merge(inherited, node, span)?,
                (Some(name), node) => self.remarks.extend(insert(entries, name, node, span)),
                (None, Node::Text(name)) => *key = Some(name),
                (None, _) => return Err(at(span, "a key of a map must be a plain scalar")),
            },
        }
        Ok(())
    }
}

/// Adds an entry. Of two entries with one key the last counts, as in CloudFormation; returns a remark then.
fn insert(entries: &mut Vec<(String, Node)>, name: String, node: Node, span: Span) -> Option<String> {
    match entries.iter_mut().find(|(other, _)| *other == name) {
        Some((_, value)) => {
            *value = node;
            Some(format!(
                "line {}: the key `{name}` is used twice in one map; the last counts",
                span.start.line()
            ))
        }
        None => {
            entries.push((name, node));
            None
        }
    }
}

/// The merge key `<<`: entries of other maps, of which the first with a key counts.
fn merge(inherited: &mut Vec<(String, Node)>, node: Node, span: Span) -> Result<(), TemplateError> {
    let maps = match node {
        Node::List(maps) => maps,
        map => vec![map],
    };
    for map in maps {
        let Node::Map(entries) = map else { return Err(at(span, "the value of << must be a map")) };
        for (key, value) in entries {
            if !inherited.iter().any(|(other, _)| *other == key) {
                inherited.push((key, value));
            }
        }
    }
    Ok(())
}

/// The number of nodes, and of levels.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<&Node> = match node {
        Node::List(items) => items.iter().collect(),
        Node::Map(entries) => entries.iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    };
    children.into_iter().map(measure).fold((1, 1), |(size, depth), (s, d)| (size + s, depth.max(d + 1)))
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
    // Some people write `!Fn::Sub`.
    let suffix = tag.suffix.strip_prefix("Fn::").unwrap_or(&tag.suffix);
    let function = match suffix {
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
        "GetAZs" => "Fn::GetAZs",
        "ImportValue" => "Fn::ImportValue",
        "Cidr" => "Fn::Cidr",
        "Transform" => "Fn::Transform",
        "ToJsonString" => "Fn::ToJsonString",
        "Length" => "Fn::Length",
        other => return Err(at(span, format!("the tag !{other} is not supported"))),
    };
    Ok(Some(function))
}

fn at(span: Span, what: impl Into<String>) -> TemplateError {
    TemplateError::at(&format!("line {}", span.start.line()), what)
}
