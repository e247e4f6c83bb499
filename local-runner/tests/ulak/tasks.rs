//! The command `task`: `setup` of stores, and `reindex` of existing messages.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use expect_test::expect;
use serde_json::json;
use test_support::http_client::{HttpRequest, Port};
use test_support::test_server::{EMBEDDED, JWT_SECRET, leaves_process_mode};
use test_support::vhost::Vhost;
use test_support::{repository, server_url, unique_name};

use crate::server::{BINARY, own_server};

fn task(data: &str, words: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(BINARY)
        .arg("task")
        .args(words)
        .args(["--data", data, "--template"])
        .arg(repository().join("template.yaml"))
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .env("JWT_SECRET", JWT_SECRET)
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn stdout_of(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn tasks_are_listed_and_an_unknown_task_fails() {
    expect![[r#"
        TASK     WHAT IT DOES
        setup    creates MongoDB's indexes, RabbitMQ's queues and the search index; may be repeated
        reindex  writes every message to the search index
    "#]]
    .assert_eq(&stdout_of(&task(":memory:", &[], &[])));
    let refused = task(":memory:", &["no-such-task"], &[]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no task named no-such-task"));
}

#[test]
fn embedded_stores_need_no_task() {
    expect![[r#"
        documents    embedded: nothing to set up
        queues       embedded: nothing to set up
        search       in the document store: nothing to set up
        there is no search index: set ELASTICSEARCH_URL
    "#]]
    .assert_eq(&["setup", "reindex"].map(|name| stdout_of(&task(":memory:", &[name], &[]))).concat());
}

/// With servers for all stores no file is opened, and a second run changes nothing.
#[test]
fn setup_of_servers_may_be_repeated() {
    let names = ["MONGODB_URI", "REDIS_URL", "ELASTICSEARCH_URL", "AMQP_URL"];
    let Some(urls) = names.into_iter().map(server_url).collect::<Option<Vec<String>>>() else { return };
    let [mongodb, redis, search, amqp] = &urls[..] else { unreachable!() };
    let own = format!("ulak-test-{}", unique_name());
    let Some(vhost) = Vhost::create(amqp, own.clone()) else { return };
    let home = tempfile::tempdir().unwrap();
    let environment = [
        ("MONGODB_URI", mongodb.as_str()),
        ("MONGODB_DATABASE", &own),
        ("REDIS_URL", redis),
        ("ELASTICSEARCH_URL", search),
        ("ELASTICSEARCH_INDEX", &own),
        ("AMQP_URL", &vhost.url),
    ];
    let run = || stdout_of(&task(home.path().to_str().unwrap(), &["setup"], &environment));
    let first = run();
    for line in ["documents    MongoDB: ", "RabbitMQ: message_indexing_queue exists", "the index exists"] {
        assert!(first.contains(line), "{line}: {first}");
    }
    assert_eq!(run(), first);
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        0,
        "a file was written to the data directory"
    );
}

#[test]
fn reindex_writes_messages_that_are_older_than_the_index() {
    if leaves_process_mode("it opens the embedded store") {
        return;
    }
    let Some(search) = server_url("ELASTICSEARCH_URL") else { return };
    let index = format!("ulak-test-{}", unique_name());
    // The command opens the document store itself, so it must be on disk.
    let mut server = own_server(&EMBEDDED);
    let (ada, _, conversation) = server.pair();
    for n in 0..25 {
        ada.send(&conversation, &format!("message {n}"));
    }
    let data = server.data();
    let data = data.to_str().unwrap();
    let environment = [("ELASTICSEARCH_URL", search.as_str()), ("ELASTICSEARCH_INDEX", &index)];
    let busy = task(data, &["reindex"], &environment);
    assert!(String::from_utf8_lossy(&busy.stderr).contains("in use by another process"));
    server.kill();
    for _ in 0..2 {
        expect![[r#"
            25 of about 25 messages
            the index holds all 25 messages
        "#]]
        .assert_eq(&stdout_of(&task(data, &["reindex"], &environment)));
    }
    let port = search.trim_end_matches('/').rsplit(':').next().unwrap().parse().map(Port).unwrap();
    let count = || HttpRequest::new(port, "GET", &format!("/{index}/_count")).send().json()["count"].clone();
    let start = Instant::now();
    while count() != json!(25) {
        assert!(start.elapsed() < Duration::from_secs(10), "{}", count());
        std::thread::sleep(Duration::from_millis(100));
    }
}
