//! Files that a template names: OpenAPI documents of `DefinitionUri` and `AWS::Include`.

use std::path::Path;

use super::node::Node;
use super::yaml;

/// Reads a YAML or JSON file; `location` is relative to the template's folder. The error says what is wrong
/// with the location.
pub(crate) fn read(folder: Option<&Path>, location: &str) -> Result<Node, String> {
    if location.starts_with("s3://") || location.starts_with("https://") {
        return Err(format!("{location} is not on this machine: name a file beside the template"));
    }
    let folder = folder.ok_or_else(|| format!("{location} cannot be read: the template has no folder"))?;
    let file = folder.join(location);
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let document = yaml::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(document.root)
}
