//! The command line, the settings it leads to, and what goes wrong in one line.

use std::fs;
use std::path::Path;

use clap::{CommandFactory, Parser};
use expect_test::expect;
use sam_emulator::cli::{Cli, Command, Data};
use sam_emulator::server;
use sam_emulator::settings::Settings;

fn parse(line: &str) -> Cli {
    Cli::try_parse_from(line.split(' ')).unwrap()
}

#[test]
fn options_stand_before_or_after_the_command() {
    Cli::command().debug_assert();
    for line in [
        "local-runner --port 8080 --data :memory: serve",
        "local-runner serve --port 8080 --data :memory:",
        "local-runner --port=8080 serve --data=:memory:",
    ] {
        let cli = parse(line);
        assert_eq!((cli.options.port, &cli.options.data), (8080, &Data::Memory), "{line}");
        assert_eq!(cli.command, Some(Command::Serve));
    }
    let cli = parse("local-runner");
    assert_eq!((cli.command, cli.options.host.to_string().as_str()), (None, "127.0.0.1"));
    let event = Some("-".into());
    assert_eq!(
        parse("local-runner invoke f --event -").command,
        Some(Command::Invoke { function: "f".into(), event })
    );
    assert!(Cli::try_parse_from(["local-runner", "--host", "nowhere"]).is_err());
}

fn settings(directory: &Path, line: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::gather(&parse(line).options, directory, environment).map_err(|error| error.to_string())
}

#[test]
fn the_template_is_found_above_and_values_come_from_file_and_environment() {
    let home = tempfile::tempdir().unwrap();
    let deep = home.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::write(home.path().join("template.yaml"), "Resources: {}").unwrap();
    let env_file = home.path().join("env");
    fs::write(&env_file, "A=file\nB=file\nC=").unwrap();
    let line = format!("local-runner --env-file {}", env_file.display());
    let settings = settings(&deep, &line, &[("B", "environment")]).unwrap();
    assert_eq!(settings.template, home.path().join("template.yaml"));
    assert_eq!(
        ["A", "B", "C", "D"].map(|name| settings.value(name)),
        [Some("file"), Some("environment"), None, None]
    );
    assert!(settings.plan().unwrap().functions.is_empty());
    assert!(!format!("{settings:?}").contains("environment"));
}

#[test]
fn what_is_missing_is_said_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().display().to_string();
    let problem = |line: &str| settings(home.path(), line, &[]).unwrap_err().replace(&place, "HOME");
    expect!["no template.yaml in HOME or above it: name one with --template"]
        .assert_eq(&problem("local-runner"));
    let line = format!("local-runner --env-file {place}/none");
    expect!["HOME/none: No such file or directory (os error 2)"].assert_eq(&problem(&line));
    fs::write(home.path().join("env"), "A=1\nB").unwrap();
    expect!["HOME/env: line 2: expected KEY=VALUE"]
        .assert_eq(&problem(&format!("local-runner --env-file {place}/env")));
    fs::write(home.path().join("t.yaml"), "Resources: { A: { Type: 'AWS::X::Y' } }").unwrap();
    let settings = settings(home.path(), &format!("local-runner --template {place}/t.yaml"), &[]).unwrap();
    let error = settings.plan().unwrap_err().to_string().replace(&place, "HOME");
    expect!["HOME/t.yaml: Resources.A.Type: the resource type AWS::X::Y is not supported"].assert_eq(&error);
}

#[tokio::test]
async fn a_taken_port_says_what_to_do() {
    let first = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = first.local_addr().unwrap();
    let error = server::bind(address).await.unwrap_err().to_string();
    let expected = "ADDRESS is taken: stop what listens there, or choose another port with --port";
    assert_eq!(error.replace(&address.to_string(), "ADDRESS"), expected);
}
