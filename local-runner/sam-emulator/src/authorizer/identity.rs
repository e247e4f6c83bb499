//! The values of a request's identity sources.

use serde_json::Value;

use super::Request;
use crate::plan::IdentitySource;

/// The value of every source; `None` when one is absent or empty.
pub(super) fn values(
    sources: &[IdentitySource],
    request: &Request<'_>,
    event: &Value,
) -> Option<Vec<String>> {
    let values = sources.iter().map(|source| value(source, request, event).filter(|value| !value.is_empty()));
    values.collect()
}

fn value(source: &IdentitySource, request: &Request<'_>, event: &Value) -> Option<String> {
    match source {
        IdentitySource::Header(name) => {
            let value = request.head.headers.get(name.as_str())?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        }
        IdentitySource::Query(name) => {
            let query = request.head.uri.query().unwrap_or_default();
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
        }
        IdentitySource::Context(path) => {
            let context = event.get("requestContext")?;
            match path.split('.').try_fold(context, |at, name| at.get(name))? {
                Value::String(text) => Some(text.clone()),
                Value::Null => None,
                other => Some(other.to_string()),
            }
        }
        IdentitySource::StageVariable(name) => request.stage_variables.get(name).cloned(),
    }
}
