//! The command line: commands and options. The module `run` executes them.

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::access::AllowedHost;
use crate::invoke::remote::RemoteUrl;

/// Runs a SAM template on this machine: its HTTP and WebSocket APIs, its schedules and its queues.
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub struct Cli {
    /// The command; `serve` by default.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options, which may come before or after the command.
    #[command(flatten)]
    pub options: CliOptions,
}

impl Cli {
    /// Reads the command line of the program `name`. For `--help`, `--version` and a wrong argument it prints
    /// and ends the process, as clap does.
    #[must_use]
    pub fn parse_as(name: &'static str) -> Self {
        let matches = Self::command_as(name).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// The clap command of the program `name`, with examples that use that name.
    #[must_use]
    pub fn command_as(name: &'static str) -> clap::Command {
        Self::command().name(name).bin_name(name).after_help(examples(name))
    }
}

fn examples(name: &str) -> String {
    let rows = [
        ("", "serve everything on http://127.0.0.1:3000"),
        (" --port 8080 --data :memory:", "another port, no data on disk"),
        (" invoke my-function --event -", "the event from standard input, the reply on standard output"),
        (" --mode process --watch", "the functions' own binaries, rebuilt when they change"),
        (" routes", "the routes and their functions"),
    ];
    let width = rows.iter().map(|(arguments, _)| name.len() + arguments.len()).max().unwrap_or_default();
    let lines = rows.map(|(arguments, about)| {
        let line = format!("{name}{arguments}");
        format!("  {line:width$}     {about}")
    });
    format!("Examples:\n{}", lines.join("\n"))
}

/// A command. The doc comments of the variants and fields are the texts of `--help`.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve all triggers until Ctrl-C (the default)
    Serve,
    /// Call one function and print its reply
    Invoke {
        /// The function's name in the template
        function: String,
        /// A file with the event's JSON, or - for standard input; without it the event is {}
        #[arg(long, short, value_name = "FILE")]
        event: Option<PathBuf>,
        /// Print the last 4 KB of the function's log on standard error
        #[arg(long)]
        log_tail: bool,
    },
    /// Fire a schedule now and print the function's reply
    Fire {
        /// The scheduled function, or the schedule's name
        target: String,
        /// The scheduled time in the event, as RFC 3339; now when absent
        #[arg(long, value_name = "TIME")]
        at: Option<jiff::Timestamp>,
    },
    /// List the routes of the HTTP and the WebSocket API
    Routes,
    /// List the functions and their triggers
    Functions,
    /// Show how many messages each queue has
    Queues {
        /// First send the messages of the .dead queues back to be tried again
        #[arg(long)]
        replay_dead: bool,
    },
    /// Write a consistent copy of the data to a new file, also while the program serves
    Backup {
        /// The file, which must not exist
        file: PathBuf,
    },
    /// Run one of the application's tasks, or list them
    Task {
        /// The task's name; without it, all tasks are listed
        name: Option<String>,
    },
}

/// The options of every command. The doc comments of the fields are the texts of `--help`.
#[derive(Debug, Clone, Args)]
pub struct CliOptions {
    /// The port to listen on; 0 takes a free one
    #[arg(long, global = true, default_value_t = 3000, env = "PORT", value_name = "PORT")]
    pub port: u16,
    /// A further address to listen on, beside the loopback addresses 127.0.0.1 and ::1
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub host: Option<IpAddr>,
    /// The folder for data, or :memory: to store none on disk
    #[arg(long, global = true, default_value = ".data", value_name = "DIR")]
    pub data: Data,
    /// The SAM template; by default template.yaml in this folder or one above
    #[arg(long, short, global = true, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// A file of KEY=VALUE lines that set variables and template parameters; the environment overrides it
    #[arg(long, global = true, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Where the parameters of the template come from.
    #[command(flatten)]
    pub template_options: TemplateArgs,
    /// How functions run: in-process, process, or remote=URL of a Lambda Invoke API
    #[arg(long, global = true, default_value = "in-process", value_name = "MODE")]
    pub mode: Mode,
    /// The rules for web pages and other machines.
    #[command(flatten)]
    pub access: AccessArgs,
    /// Open the first page of the banner in the browser
    #[arg(long, global = true)]
    pub open: bool,
    /// The options of process mode.
    #[command(flatten)]
    pub process: ProcessArgs,
}

/// Who may use the management endpoints. The doc comments of the fields are the texts of `--help`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of the Invoke API, @connections and /_runner")]
pub struct AccessArgs {
    /// Also accept requests for this host name, and from web pages of this host; may be repeated
    #[arg(long = "allow-host", global = true, value_name = "NAME[:PORT]")]
    pub allow_hosts: Vec<AllowedHost>,
    /// Also serve them to other machines
    #[arg(long, global = true)]
    pub remote_management: bool,
    /// Apply the same rules for hosts and web pages to WebSocket upgrades
    #[arg(long, global = true)]
    pub check_websocket_origin: bool,
}

/// The options for the parameters of a template, named as those of SAM CLI. The doc comments of the fields are
/// the texts of `--help`.
#[derive(Debug, Clone, Default, Args)]
pub struct TemplateArgs {
    /// Values of the template's parameters; they override samconfig.toml, which overrides --env-file
    #[arg(long, global = true, value_name = "NAME=VALUE", num_args = 1..)]
    pub parameter_overrides: Vec<String>,
    /// The file with parameter_overrides; by default samconfig.toml beside the template
    #[arg(long, global = true, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// The section of that file
    #[arg(long, global = true, default_value = "default", value_name = "NAME")]
    pub config_env: String,
}

/// The options of `--mode process`. The doc comments of the fields are the texts of `--help`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of --mode process")]
pub struct ProcessArgs {
    /// A folder with the functions' binaries: DIR/name or DIR/name/bootstrap
    #[arg(long, global = true, value_name = "DIR")]
    pub bin_dir: Option<PathBuf>,
    /// Rebuild and replace functions when their sources change
    #[arg(long, global = true)]
    pub watch: bool,
    /// Leave out what cannot run here instead of refusing to start
    #[arg(long, global = true)]
    pub skip_unsupported: bool,
    /// The most processes of one function; further invocations wait
    #[arg(long, global = true, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_instances: u16,
}

/// The value of `--mode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The functions of this program, in this process.
    InProcess,
    /// Each function in processes of its own, over the Lambda Runtime API.
    Process,
    /// The functions of another Invoke API.
    Remote(RemoteUrl),
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "in-process" => Ok(Self::InProcess),
            None if text == "process" => Ok(Self::Process),
            Some(("remote", url)) => Ok(Self::Remote(url.parse()?)),
            _ => Err("expected in-process, process or remote=URL".to_owned()),
        }
    }
}

/// The value of `--data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// `:memory:`: data is lost when the process ends.
    Memory,
    /// A directory, which is created if it does not exist.
    Directory(PathBuf),
}

impl FromStr for Data {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == ":memory:" { Self::Memory } else { Self::Directory(text.into()) })
    }
}
