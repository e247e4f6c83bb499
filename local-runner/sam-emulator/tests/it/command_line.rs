//! The command line, the settings of a run, and errors in one line.

use std::fs;
use std::path::Path;

use clap::Parser;
use expect_test::expect;
use sam_emulator::cli::{Cli, Command, Data, Mode};
use sam_emulator::server;
use sam_emulator::settings::Settings;

fn parse(line: &str) -> Cli {
    Cli::try_parse_from(line.split(' ')).unwrap()
}

#[test]
fn options_are_accepted_before_and_after_the_command() {
    Cli::command_as("program").debug_assert();
    for line in [
        "program --port 8080 --data :memory: serve",
        "program serve --port 8080 --data :memory:",
        "program --port=8080 serve --data=:memory:",
    ] {
        let cli = parse(line);
        assert_eq!((cli.options.port, &cli.options.data), (8080, &Data::Memory), "{line}");
        assert_eq!(cli.command, Some(Command::Serve));
    }
    let cli = parse("program");
    assert_eq!((cli.command, cli.options.host), (None, None));
    let event = Some("-".into());
    assert_eq!(
        parse("program invoke f --event -").command,
        Some(Command::Invoke { function: "f".into(), event, log_tail: false })
    );
    assert!(Cli::try_parse_from(["program", "--host", "nowhere"]).is_err());
}

#[test]
fn the_help_uses_the_name_of_the_program() {
    let help = Cli::command_as("program").render_help().to_string();
    assert!(help.contains("Usage: program [OPTIONS] [COMMAND]"), "{help}");
    let examples = help.find("Examples:").map(|at| &help[at..]).unwrap();
    expect![[r#"
        Examples:
          program                                  serve everything on http://127.0.0.1:3000
          program --port 8080 --data :memory:      another port, no data on disk
          program invoke my-function --event -     the event from standard input, the reply on standard output
          program --mode process --watch           the functions' own binaries, rebuilt when they change
          program routes                           the routes and their functions
    "#]]
    .assert_eq(examples);
}

fn settings(directory: &Path, line: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::gather(&parse(line).options, directory, environment, &[]).map_err(|error| error.to_string())
}

#[test]
fn the_template_is_found_in_a_folder_above_and_the_environment_overrides_the_env_file() {
    let home = tempfile::tempdir().unwrap();
    let deep = home.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::write(home.path().join("template.yaml"), "Resources: {}").unwrap();
    let env_file = home.path().join("env");
    fs::write(&env_file, "A=file\nB=file\nC=").unwrap();
    let line = format!("program --env-file {}", env_file.display());
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
fn an_unreadable_template_or_env_file_is_an_error_of_one_line() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().display().to_string();
    let problem = |line: &str| settings(home.path(), line, &[]).unwrap_err().replace(&place, "HOME");
    expect!["no template.yaml in HOME or a folder above it: name one with --template"]
        .assert_eq(&problem("program"));
    let line = format!("program --env-file {place}/none");
    expect!["HOME/none: No such file or directory (os error 2)"].assert_eq(&problem(&line));
    fs::write(home.path().join("env"), "A=1\nB").unwrap();
    expect!["HOME/env: line 2: expected KEY=VALUE"]
        .assert_eq(&problem(&format!("program --env-file {place}/env")));
    fs::write(
        home.path().join("t.yaml"),
        "Resources: { A: { Type: AWS::Serverless::Api, Properties: { X: 1 } } }",
    )
    .unwrap();
    let settings = settings(home.path(), &format!("program --template {place}/t.yaml"), &[]).unwrap();
    let error = settings.plan().unwrap_err().to_string().replace(&place, "HOME");
    expect!["HOME/t.yaml: Resources.A.Properties.X: this property is not supported: remove it, or check its spelling"]
        .assert_eq(&error);
}

#[tokio::test]
async fn the_error_of_a_taken_port_says_what_to_do() {
    let first = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = first.local_addr().unwrap();
    let error = server::bind(address).await.unwrap_err().to_string();
    let expected = "ADDRESS is taken: stop what listens there, or choose another port with --port";
    assert_eq!(error.replace(&address.to_string(), "ADDRESS"), expected);
}

#[test]
fn a_mode_is_in_process_process_or_the_url_of_an_invoke_api() {
    let mode = |text: &str| Cli::try_parse_from(["program", "--mode", text]).map(|cli| cli.options.mode);
    assert_eq!(mode("in-process").unwrap(), Mode::InProcess);
    assert_eq!(mode("process").unwrap(), Mode::Process);
    let Mode::Remote(url) = mode("remote=http://127.0.0.1:9000/").unwrap() else { panic!("not remote") };
    assert_eq!(url.to_string(), "http://127.0.0.1:9000");
    for (text, reason) in [
        ("docker", "expected in-process, process or remote=URL"),
        ("remote", "expected in-process, process or remote=URL"),
        ("remote=https://lambda.us-east-1.amazonaws.com", "the URL of an Invoke API without TLS is needed"),
        ("remote=nowhere", "the URL of an Invoke API without TLS is needed"),
    ] {
        let error = mode(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn parameters_come_from_the_command_line_before_samconfig_before_the_env_file_and_never_from_the_shell() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str| home.path().join(name);
    let parameter = |name: &str| format!("  {name}: {{ Type: String, Default: default }}\n");
    let names = ["Home", "Lang", "A", "B", "C", "Told"];
    let declared: String = names.iter().map(|name| parameter(name)).collect();
    let variables: String = names.iter().map(|name| format!("{name}: !Ref {name}, ")).collect();
    fs::write(
        file("template.yaml"),
        format!(
            "Parameters:\n{declared}Resources:\n  F: {{ Type: AWS::Serverless::Function, Properties: {{ Environment: {{ Variables: {{ {variables} }} }} }} }}"
        ),
    )
    .unwrap();
    fs::write(file("env"), "A=env-file\nB=env-file\nC=env-file").unwrap();
    fs::write(
        file("samconfig.toml"),
        "version = 0.1\n[default.deploy.parameters]\nparameter_overrides = \"B=\\\"of the config\\\" C=config\"\n[live.deploy.parameters]\nparameter_overrides = [\"B=live config\"]\n",
    )
    .unwrap();
    let shell = [("HOME", "/root"), ("LANG", "C"), ("Home", "/root"), ("TOLD", "shell")];
    let read = |arguments: &[&str]| {
        let env_file = file("env");
        let line = ["program", "--env-file", env_file.to_str().unwrap()];
        let cli = Cli::try_parse_from(line.iter().chain(arguments)).unwrap();
        let environment = shell.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Settings::gather(&cli.options, home.path(), environment, &["TOLD"]).unwrap();
        let plan = settings.plan().unwrap();
        names.map(|name| plan.functions["F"].environment[name].clone())
    };
    assert_eq!(read(&[]), ["default", "default", "env-file", "of the config", "config", "shell"]);
    let own =
        ["--parameter-overrides", "C=own", "ParameterKey=Home,ParameterValue=h", "--config-env", "live"];
    assert_eq!(read(&own), ["h", "default", "env-file", "live config", "own", "shell"]);
}
