//! A template as a tree: text, lists and maps in the order they were written. Scalars stay text, as in
//! CloudFormation, so `012345678901` keeps its zero. No YAML here and no meaning of resources.

use super::TemplateError;

/// One value of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// Nothing: an empty value, `null`, or `AWS::NoValue`.
    Null,
    /// Any scalar.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping; keys are unique.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Text from anything.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The value under `key`, if this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// What this is, for error lines.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text(_) => "a scalar",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// A node together with its path in the template, so that every error names its place.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    /// The value.
    pub(crate) node: &'a Node,
    /// `Resources.Orders.Properties.Timeout`.
    pub(crate) path: String,
}

impl<'a> Cursor<'a> {
    /// Starts at `node`.
    pub(crate) fn new(node: &'a Node, path: impl Into<String>) -> Self {
        Self { node, path: path.into() }
    }

    /// An error at this place.
    pub(crate) fn refuse(&self, what: impl Into<String>) -> TemplateError {
        TemplateError::at(&self.path, what)
    }

    /// The value under `key`; absent and null are the same.
    pub(crate) fn get(&self, key: &str) -> Option<Cursor<'a>> {
        let node = self.node.get(key)?;
        (*node != Node::Null).then(|| self.below(key, node))
    }

    /// The value under `key`, which must be there.
    pub(crate) fn need(&self, key: &str) -> Result<Cursor<'a>, TemplateError> {
        self.get(key).ok_or_else(|| self.refuse(format!("{key} is missing")))
    }

    /// The entries of a map; null counts as empty.
    pub(crate) fn entries(&self) -> Result<Vec<(&'a str, Cursor<'a>)>, TemplateError> {
        match self.node {
            Node::Null => Ok(Vec::new()),
            Node::Map(entries) => {
                Ok(entries.iter().map(|(key, node)| (key.as_str(), self.below(key, node))).collect())
            }
            other => Err(self.refuse(format!("expected a map, found {}", other.kind()))),
        }
    }

    /// The items of a list; a scalar counts as a list of one, as CloudFormation accepts it.
    pub(crate) fn items(&self) -> Result<Vec<Cursor<'a>>, TemplateError> {
        match self.node {
            Node::Text(_) => Ok(vec![self.clone()]),
            Node::List(items) => {
                Ok(items.iter().enumerate().map(|(i, node)| self.below(&i.to_string(), node)).collect())
            }
            other => Err(self.refuse(format!("expected a list, found {}", other.kind()))),
        }
    }

    /// The scalar's text.
    pub(crate) fn text(&self) -> Result<&'a str, TemplateError> {
        match self.node {
            Node::Text(text) => Ok(text),
            other => Err(self.refuse(format!("expected a scalar, found {}", other.kind()))),
        }
    }

    /// A list of scalars.
    pub(crate) fn texts(&self) -> Result<Vec<String>, TemplateError> {
        self.items()?.iter().map(|item| Ok(item.text()?.to_owned())).collect()
    }

    /// A whole number within `min..=max`.
    pub(crate) fn number(&self, min: u64, max: u64) -> Result<u64, TemplateError> {
        let text = self.text()?;
        let number = text.parse().ok().filter(|number| (min..=max).contains(number));
        number.ok_or_else(|| {
            self.refuse(format!("expected a whole number from {min} to {max}, found `{text}`"))
        })
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self) -> Result<bool, TemplateError> {
        match self.text()? {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            other => Err(self.refuse(format!("expected true or false, found `{other}`"))),
        }
    }

    /// Refuses, by name, every key that is in none of the lists.
    pub(crate) fn only(&self, known: &[&[&str]]) -> Result<(), TemplateError> {
        for (key, at) in self.entries()? {
            if !known.iter().any(|list| list.contains(&key)) {
                return Err(at.refuse("the local runner does not know this property"));
            }
        }
        Ok(())
    }

    fn below(&self, key: &str, node: &'a Node) -> Cursor<'a> {
        Cursor { node, path: join(&self.path, key) }
    }
}

/// `path.key`, without a dot at the root.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
