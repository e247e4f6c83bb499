//! The settings of one run, gathered once: options, the template file, environment variables.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::access::Access;
use crate::cli::{CliOptions, Data, Mode, ProcessArgs};
use crate::env_file::{self, EnvFileError};
use crate::plan::Plan;
use crate::sam_config::{self, SamConfigError};
use crate::template::{self, Source, TemplateErrors};

/// Settings of one run.
#[derive(Clone)]
pub struct Settings {
    /// The address to connect to. With `--port 0` the port is 0 until the listener is open.
    pub address: SocketAddr,
    /// `--host`; `None` means the loopback addresses.
    pub host: Option<IpAddr>,
    /// Who may use the management endpoints.
    pub access: Access,
    /// `--data`.
    pub data: Data,
    /// `--template`, or the template file that was found.
    pub template: PathBuf,
    /// Environment variables and the values of the env file; a variable of the environment wins.
    pub values: BTreeMap<String, String>,
    /// The names that the env file sets. Functions in processes get these variables and no others of
    /// `values`.
    pub env_file_names: BTreeSet<String>,
    /// `--mode`.
    pub mode: Mode,
    /// `--open`.
    pub open: bool,
    /// The options of process mode.
    pub process: ProcessArgs,
    /// Values of the template's parameters.
    pub parameters: BTreeMap<String, String>,
}

/// Why a run cannot start. The text is one line, or one per problem of the template.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// `--template` is absent and no template file was found.
    #[error("no template.yaml in {path} or a folder above it: name one with --template", path = .0.display())]
    NoTemplate(PathBuf),
    /// The template or the env file cannot be read.
    #[error("{path}: {1}", path = .0.display())]
    Unreadable(PathBuf, io::Error),
    /// A line of the env file is not an assignment.
    #[error("{path}: {1}", path = .0.display())]
    EnvFile(PathBuf, EnvFileError),
    /// `samconfig.toml` or `--parameter-overrides` cannot be read.
    #[error(transparent)]
    SamConfig(#[from] SamConfigError),
    /// The template is malformed or uses something that is not supported: all of its problems.
    #[error("{path}: {1}", path = .0.display())]
    Template(PathBuf, TemplateErrors),
}

impl Settings {
    /// Gathers the settings. The search for a template starts in `directory`. Of the environment, only
    /// `variables` set parameters of the template: a parameter named `Home` is not the shell's `HOME`.
    ///
    /// # Errors
    /// There is no template, or the env file or `samconfig.toml` cannot be read.
    pub fn gather(
        options: &CliOptions,
        directory: &Path,
        environment: impl Iterator<Item = (String, String)>,
        variables: &[&str],
    ) -> Result<Self, SettingsError> {
        let mut values = match &options.env_file {
            Some(file) => {
                env_file::parse(&read(file)?).map_err(|error| SettingsError::EnvFile(file.clone(), error))?
            }
            None => BTreeMap::new(),
        };
        let env_file_names = values.keys().cloned().collect();
        let mut parameters = values.clone();
        values.extend(environment);
        let documented = |name: &&str| Some(((*name).to_owned(), values.get(*name)?.clone()));
        parameters.extend(variables.iter().chain(&["AWS_REGION"]).filter_map(documented));
        let template = match &options.template {
            Some(file) => file.clone(),
            None => {
                find_template(directory).ok_or_else(|| SettingsError::NoTemplate(directory.to_path_buf()))?
            }
        };
        let address = SocketAddr::new(options.host.unwrap_or(Ipv4Addr::LOCALHOST.into()), options.port);
        let access = Access {
            allowed_hosts: options.access.allow_hosts.clone(),
            remote_management: options.access.remote_management,
            check_websocket_origin: options.access.check_websocket_origin,
        };
        let folder = template.parent().unwrap_or(Path::new("."));
        parameters.extend(sam_config::parameters(folder, &options.template_options)?);
        Ok(Self {
            address,
            host: options.host,
            access,
            data: options.data.clone(),
            template,
            values,
            env_file_names,
            mode: options.mode.clone(),
            open: options.open,
            process: options.process.clone(),
            parameters,
        })
    }

    /// Reads the template file. With `--skip-unsupported`, what has a problem is left out.
    ///
    /// # Errors
    /// The file cannot be read, or the template has problems.
    pub fn plan(&self) -> Result<Plan, SettingsError> {
        let text = read(&self.template)?;
        let source = Source { text: &text, folder: self.template.parent(), values: &self.parameters };
        let problems = |errors| SettingsError::Template(self.template.clone(), errors);
        let (mut plan, found) = template::load(source).map_err(|error| problems(error.into()))?;
        if !self.process.skip_unsupported && !found.is_empty() {
            return Err(problems(TemplateErrors(found)));
        }
        plan.notices.skipped = found.iter().map(ToString::to_string).collect();
        Ok(plan)
    }

    /// The value of a variable; `None` when it is absent or empty.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Leaves out the values: they contain secrets.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address)
            .field("data", &self.data)
            .field("template", &self.template)
            .field("mode", &self.mode)
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
