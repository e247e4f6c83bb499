//! A template as a tree: text, lists and maps in the order in which they were written. Every scalar stays
//! text, as in CloudFormation, so `012345678901` keeps its zero.

use super::error::TemplateError;

/// One value of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// An empty value, `null`, or `AWS::NoValue`.
    Null,
    Text(String),
    List(Vec<Node>),
    /// Keys are unique: of duplicates, [`super::yaml`] keeps the last.
    Map(Vec<(String, Node)>),
    /// An expression without a value, and why. It is an error only where it is read: a template may use
    /// anything in properties that have no effect here.
    Unknown(Box<TemplateError>),
}

impl Node {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The value of `key`; `None` when this is not a map or has no such key. What a map without a value
    /// contains is without a value too.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            Self::Unknown(_) => Some(self),
            _ => None,
        }
    }

    /// The kind of value, for error messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text(_) => "a scalar",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Unknown(_) => "an expression",
        }
    }
}

/// A node and its path in the template, so that every error can name its place.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    pub(crate) node: &'a Node,
    /// `Resources.Orders.Properties.Timeout`.
    pub(crate) path: String,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(node: &'a Node, path: impl Into<String>) -> Self {
        Self { node, path: path.into() }
    }

    /// An error at this place.
    pub(crate) fn error(&self, what: impl Into<String>) -> TemplateError {
        TemplateError::at(&self.path, what)
    }

    /// The value of `key`; `None` when it is absent or null.
    pub(crate) fn get(&self, key: &str) -> Option<Cursor<'a>> {
        let node = self.node.get(key)?;
        (*node != Node::Null).then(|| self.child(key, node))
    }

    /// The value of `key`, which must be present.
    pub(crate) fn need(&self, key: &str) -> Result<Cursor<'a>, TemplateError> {
        self.get(key).ok_or_else(|| self.error(format!("{key} is missing")))
    }

    /// The entries of a map; null counts as an empty map.
    pub(crate) fn entries(&self) -> Result<Vec<(&'a str, Cursor<'a>)>, TemplateError> {
        match self.node {
            Node::Null => Ok(Vec::new()),
            Node::Map(entries) => {
                Ok(entries.iter().map(|(key, node)| (key.as_str(), self.child(key, node))).collect())
            }
            other => Err(self.unexpected("a map", other)),
        }
    }

    /// The items of a list; CloudFormation accepts a scalar as a list of one item.
    pub(crate) fn items(&self) -> Result<Vec<Cursor<'a>>, TemplateError> {
        match self.node {
            Node::Text(_) => Ok(vec![self.clone()]),
            Node::List(items) => {
                Ok(items.iter().enumerate().map(|(i, node)| self.child(&i.to_string(), node)).collect())
            }
            other => Err(self.unexpected("a list", other)),
        }
    }

    /// A scalar's text.
    pub(crate) fn text(&self) -> Result<&'a str, TemplateError> {
        match self.node {
            Node::Text(text) => Ok(text),
            other => Err(self.unexpected("a scalar", other)),
        }
    }

    fn unexpected(&self, expected: &str, found: &Node) -> TemplateError {
        match found {
            Node::Unknown(reason) => (**reason).clone(),
            other => self.error(format!("expected {expected}, found {}", other.kind())),
        }
    }

    /// The texts of a list of scalars.
    pub(crate) fn texts(&self) -> Result<Vec<String>, TemplateError> {
        self.items()?.iter().map(|item| Ok(item.text()?.to_owned())).collect()
    }

    /// A whole number within `min..=max`.
    pub(crate) fn number(&self, min: u64, max: u64) -> Result<u64, TemplateError> {
        let text = self.text()?;
        let number = text.parse().ok().filter(|number| (min..=max).contains(number));
        number
            .ok_or_else(|| self.error(format!("expected a whole number from {min} to {max}, found `{text}`")))
    }

    /// `true` or `false`, in the spellings of YAML 1.1.
    pub(crate) fn boolean(&self) -> Result<bool, TemplateError> {
        match self.text()? {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            other => Err(self.error(format!("expected true or false, found `{other}`"))),
        }
    }

    fn child(&self, key: &str, node: &'a Node) -> Cursor<'a> {
        Cursor { node, path: join(&self.path, key) }
    }
}

/// `path.key`, or `key` at the root.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
