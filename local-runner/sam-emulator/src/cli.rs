//! The command line: what can be asked for. What happens then lives in `run`.

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};

/// Runs a SAM template on this machine: its HTTP and WebSocket APIs, its schedules and its queues.
#[derive(Debug, Clone, Parser)]
#[command(name = "local-runner", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do; `serve` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options, before or after the command.
    #[command(flatten)]
    pub options: Options,
}

const EXAMPLES: &str = "\
Examples:
  local-runner                                  serve everything on http://127.0.0.1:3000
  local-runner --port 8080 --data :memory:      another port, nothing kept
  local-runner invoke my-function --event -     the event from standard input, the reply on standard output
  local-runner routes                           what answers where";

/// What to do.
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
    /// List the functions and what calls them
    Functions,
    /// Show how much the queues hold
    Queues {
        /// First send everything from the .dead queues back to be tried again
        #[arg(long)]
        replay_dead: bool,
    },
    /// Do one of the application's tasks, or list them
    Task {
        /// Its name; without it, all are listed
        name: Option<String>,
    },
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The port that everything is on; 0 takes a free one
    #[arg(long, global = true, default_value_t = 3000, env = "PORT", value_name = "PORT")]
    pub port: u16,
    /// The address to listen on
    #[arg(long, global = true, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub host: IpAddr,
    /// Where data is kept, or :memory: to keep none
    #[arg(long, global = true, default_value = ".data", value_name = "DIR")]
    pub data: Data,
    /// The SAM template; otherwise template.yaml here or in a folder above
    #[arg(long, short, global = true, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// KEY=VALUE lines that set variables and template parameters; the environment wins over it
    #[arg(long, global = true, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
}

/// `--data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Nothing outlives the process.
    Memory,
    /// A directory, made when it is missing.
    Directory(PathBuf),
}

impl FromStr for Data {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == ":memory:" { Self::Memory } else { Self::Directory(text.into()) })
    }
}
