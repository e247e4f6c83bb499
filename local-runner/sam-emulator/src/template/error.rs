//! Why a template cannot be run: all of its problems at once.

/// A template error: one line that names the place in the template and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", prefix(.path))]
pub struct TemplateError {
    /// `Resources.Orders.Properties.Timeout`; `line 12` for YAML that cannot be parsed; empty for the whole
    /// template.
    pub path: String,
    /// What is wrong there, in a form that can follow `path: `.
    pub what: String,
}

impl TemplateError {
    pub(crate) fn at(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), what: what.into() }
    }
}

fn prefix(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// All problems of one template, in template order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct TemplateErrors(pub Vec<TemplateError>);

fn lines(problems: &[TemplateError]) -> String {
    match problems {
        [only] => only.to_string(),
        all => {
            let lines: String = all.iter().map(|problem| format!("\n  {problem}")).collect();
            format!("{} problems:{lines}", all.len())
        }
    }
}

impl From<TemplateError> for TemplateErrors {
    fn from(error: TemplateError) -> Self {
        Self(vec![error])
    }
}
