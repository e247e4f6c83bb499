//! Values of a template's parameters as SAM CLI takes them: `parameter_overrides` of `samconfig.toml` and
//! `--parameter-overrides` (SAM guide, `serverless-sam-cli-config`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::TemplateArgs;

/// A value cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SamConfigError {
    /// The file that `--config-file` names cannot be read.
    #[error("{path}: {1}", path = .0.display())]
    Unreadable(PathBuf, std::io::Error),
    /// The file is not TOML.
    #[error("{path}: {1}", path = .0.display())]
    Toml(PathBuf, String),
    /// A value has no name.
    #[error("parameter overrides: `{0}` is not NAME=VALUE or ParameterKey=NAME,ParameterValue=VALUE")]
    NotAnAssignment(String),
}

/// Commands of SAM CLI whose section may have `parameter_overrides`, the most local first.
const COMMANDS: [&str; 4] = ["local_start_api", "deploy", "build", "global"];

/// The values of the file and of the command line, which has precedence. `folder` is the template's.
///
/// # Errors
/// [`SamConfigError`].
pub(crate) fn parameters(
    folder: &Path,
    options: &TemplateArgs,
) -> Result<BTreeMap<String, String>, SamConfigError> {
    let mut values = match &options.config_file {
        Some(file) => of_file(file, &options.config_env)?,
        None => {
            let file = folder.join("samconfig.toml");
            if file.is_file() { of_file(&file, &options.config_env)? } else { BTreeMap::new() }
        }
    };
    values.extend(assignments(&options.parameter_overrides.join(" "))?);
    Ok(values)
}

fn of_file(file: &Path, section: &str) -> Result<BTreeMap<String, String>, SamConfigError> {
    let text =
        std::fs::read_to_string(file).map_err(|error| SamConfigError::Unreadable(file.to_owned(), error))?;
    let config: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        SamConfigError::Toml(file.to_owned(), error.message().to_owned())
    })?;
    let of_command = |command: &str| {
        let parameters = config.get(section)?.get(command)?.get("parameters")?;
        parameters.get("parameter_overrides").cloned()
    };
    match COMMANDS.iter().find_map(|command| of_command(command)) {
        Some(toml::Value::Array(items)) => {
            let items: Vec<&str> = items.iter().filter_map(toml::Value::as_str).collect();
            // Each item is one assignment, so its value needs no quotes.
            items.iter().map(|item| assignment(item)).collect()
        }
        Some(toml::Value::String(text)) => assignments(&text),
        _ => Ok(BTreeMap::new()),
    }
}

/// `A=1 B="two words"`, or `ParameterKey=A,ParameterValue=1`.
fn assignments(text: &str) -> Result<BTreeMap<String, String>, SamConfigError> {
    words(text).iter().map(|word| assignment(word)).collect()
}

fn assignment(word: &str) -> Result<(String, String), SamConfigError> {
    let error = || SamConfigError::NotAnAssignment(word.to_owned());
    if let Some(rest) = word.strip_prefix("ParameterKey=") {
        let (name, value) = rest.split_once(",ParameterValue=").ok_or_else(error)?;
        return Ok((name.to_owned(), value.to_owned()));
    }
    let (name, value) = word.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(error)?;
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Ok((name.to_owned(), quoted.unwrap_or(value).to_owned()))
}

/// Splits at spaces outside quotes; quotes are removed, and `\\` keeps the character after it.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut letters) = (Vec::new(), None::<String>, None, text.chars());
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\n' | '\r' if quote.is_none() => words.extend(word.take()),
            '\\' => word.get_or_insert_default().extend(letters.next()),
            '"' | '\'' if quote.is_none() => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            _ if quote == Some(letter) => quote = None,
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::assignments;

    #[test]
    fn overrides_are_read_in_both_forms_of_sam_cli() {
        let read = |text: &str| {
            let pairs = assignments(text).unwrap().into_iter();
            pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("|")
        };
        assert_eq!(read("A=1 B=\"two words\" C='x=y'  D="), "A=1|B=two words|C=x=y|D=");
        assert_eq!(
            read("ParameterKey=A,ParameterValue=1 ParameterKey=B,ParameterValue=\"b c\""),
            "A=1|B=b c"
        );
        assert_eq!(read("\"A=one two\" B=a\\ b"), "A=one two|B=a b");
        assert!(assignments("A").unwrap_err().to_string().contains("`A` is not NAME=VALUE"));
    }
}
