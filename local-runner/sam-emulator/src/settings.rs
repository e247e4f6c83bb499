//! What a run stands on, found once: the options, the template's file, and the values around it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::cli::{Data, Options};
use crate::env_file::{self, EnvFileError};
use crate::plan::Plan;
use crate::template::{self, TemplateError};

/// Settings of one run.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen; port 0 is still 0 here.
    pub address: SocketAddr,
    /// Where data is kept.
    pub data: Data,
    /// The template's file.
    pub template: PathBuf,
    /// The env file's values under those of the environment.
    pub values: BTreeMap<String, String>,
}

/// Why a run cannot begin; one line each.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No template was named and none was found.
    #[error("no template.yaml in {path} or above it: name one with --template", path = .0.display())]
    NoTemplate(PathBuf),
    /// A file cannot be read.
    #[error("{path}: {1}", path = .0.display())]
    Unreadable(PathBuf, io::Error),
    /// The env file has a broken line.
    #[error("{path}: {1}", path = .0.display())]
    EnvFile(PathBuf, EnvFileError),
    /// The template asks for something unknown, or is broken.
    #[error("{path}: {1}", path = .0.display())]
    Template(PathBuf, TemplateError),
}

impl Settings {
    /// Gathers the settings; `environment` wins over the env file.
    ///
    /// # Errors
    /// No template, or an env file that cannot be read.
    pub fn gather(
        options: &Options,
        directory: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let mut values = match &options.env_file {
            Some(file) => {
                env_file::parse(&read(file)?).map_err(|error| SettingsError::EnvFile(file.clone(), error))?
            }
            None => BTreeMap::new(),
        };
        values.extend(environment);
        let template = match &options.template {
            Some(file) => file.clone(),
            None => {
                find_template(directory).ok_or_else(|| SettingsError::NoTemplate(directory.to_path_buf()))?
            }
        };
        let address = SocketAddr::new(options.host, options.port);
        Ok(Self { address, data: options.data.clone(), template, values })
    }

    /// Reads the template.
    ///
    /// # Errors
    /// The file cannot be read, or [`template::read`] refuses it.
    pub fn plan(&self) -> Result<Plan, SettingsError> {
        template::read(&read(&self.template)?, &self.values)
            .map_err(|error| SettingsError::Template(self.template.clone(), error))
    }

    /// One value; an empty one counts as absent.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Shows no values: they hold secrets.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address)
            .field("data", &self.data)
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}

fn read(file: &Path) -> Result<String, SettingsError> {
    fs::read_to_string(file).map_err(|error| SettingsError::Unreadable(file.to_path_buf(), error))
}

fn find_template(directory: &Path) -> Option<PathBuf> {
    let names = ["template.yaml", "template.yml"];
    let files = directory.ancestors().flat_map(|folder| names.map(|name| folder.join(name)));
    files.into_iter().find(|file| file.is_file())
}
