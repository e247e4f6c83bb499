//! The replies of the function.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chat_page::{Settings, handle};
use serde_json::{Value, json};
use shared::config::Env;
use shared::lambda::{Entry, http};
use test_support::events::invoke_event;
use test_support::fixture::{FunctionFixture, TestRequest, http_event};

/// Every file of `app/` by its path there.
fn files() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("app");
    let mut found = BTreeSet::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

fn settings(socket_url: &str) -> Settings {
    let mut env = Env::of([("SOCKET_URL".to_owned(), socket_url.to_owned())]);
    let settings = Settings::from_env(&mut env);
    env.finish().unwrap();
    settings
}

/// The reply to a request for the page (without `path`) or for a file, with these headers.
async fn get(settings: &Settings, path: Option<&str>, headers: &[(&str, &str)]) -> Value {
    let settings = settings.clone();
    let entry: Entry = http(move |request| {
        let settings = settings.clone();
        async move { handle(&settings, request).await }
    });
    let request = match path {
        None => TestRequest::new("GET /"),
        Some(path) => match path.strip_prefix("views/") {
            Some(file) => TestRequest::new("GET /app/views/{file}").path("file", file),
            None => TestRequest::new("GET /app/{file}").path("file", path),
        },
    };
    let mut event = http_event(&FunctionFixture::new().request(&request));
    for (name, value) in headers {
        event["headers"][name] = json!(value);
    }
    invoke_event(&entry, &event).await.unwrap()
}

#[tokio::test]
async fn every_file_of_the_folder_is_served_with_its_media_type_and_nothing_else_is() {
    for path in files().iter().filter(|path| *path != "index.html") {
        let reply = get(&Settings::default(), Some(path), &[]).await;
        assert_eq!(reply["statusCode"], json!(200), "{path}");
        let content_type = match path.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{path}: no media type is expected for {other}"),
        };
        assert_eq!(reply["headers"]["content-type"], json!(content_type), "{path}");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("app").join(path)).unwrap();
        let is_code = |line: &&str| {
            // In the style sheet, `*` is a selector.
            let comments = if path.ends_with(".js") { &["//", "/*", "*"][..] } else { &["/*"][..] };
            !line.is_empty() && !comments.iter().any(|comment| line.starts_with(comment))
        };
        let code: Vec<&str> = text.lines().map(str::trim_start).filter(is_code).collect();
        let sent: Vec<&str> = reply["body"].as_str().unwrap().lines().collect();
        assert_eq!(sent, code, "{path}");
    }
    for path in ["index.html", "", "..", "../Cargo.toml", "views", "views/main.js", "main.js/", "main.ts"] {
        let reply = get(&Settings::default(), Some(path), &[]).await;
        assert_eq!(reply["statusCode"], json!(404), "{path}");
    }
}

#[tokio::test]
async fn the_policy_allows_nothing_from_other_hosts_and_nothing_inline() {
    let reply = get(&Settings::default(), None, &[]).await;
    let policy = reply["headers"]["content-security-policy"].as_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("trusted-types 'none'"), "{policy}");
    assert!(!policy.contains("unsafe-") && !policy.contains("http") && !policy.contains("ws"), "{policy}");
    assert_eq!(reply["headers"]["content-type"], json!("text/html; charset=utf-8"));
    let page = reply["body"].as_str().unwrap();
    assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("onload="), "{page}");
}

#[tokio::test]
async fn the_page_may_connect_to_the_configured_websocket_api_and_learns_its_url() {
    let settings = settings("wss://abc.execute-api.eu-central-1.amazonaws.com/live");
    let reply = get(&settings, None, &[]).await;
    let policy = reply["headers"]["content-security-policy"].as_str().unwrap();
    let expected = "connect-src 'self' wss://abc.execute-api.eu-central-1.amazonaws.com; ";
    assert!(policy.contains(expected), "{policy}");
    let config = get(&settings, Some("config.json"), &[]).await;
    assert_eq!(
        config["body"],
        json!(r#"{"socketUrl":"wss://abc.execute-api.eu-central-1.amazonaws.com/live"}"#)
    );
    let default = get(&Settings::default(), Some("config.json"), &[]).await;
    assert_eq!(default["body"], json!(r#"{"socketUrl":null}"#));
}

#[test]
fn urls_that_could_change_the_policy_are_refused() {
    for url in ["https://a", "wss://", "wss://a b", "wss://a;script-src *", "wss://a,b", "wss://*", "a"] {
        let mut env = Env::of([("SOCKET_URL".to_owned(), url.to_owned())]);
        Settings::from_env(&mut env);
        assert!(env.finish().is_err(), "{url}");
    }
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_answered_304_without_its_body() {
    let first = get(&Settings::default(), Some("main.js"), &[]).await;
    assert_eq!(first["headers"]["cache-control"], json!("no-cache"));
    let etag = first["headers"]["etag"].as_str().unwrap();
    for (known, status) in [
        (etag.to_owned(), 304),
        (format!("\"other\", {etag}"), 304),
        ("*".to_owned(), 304),
        (etag.trim_start_matches("W/").to_owned(), 304),
        ("\"other\"".to_owned(), 200),
        (String::new(), 200),
    ] {
        let again = get(&Settings::default(), Some("main.js"), &[("if-none-match", &known)]).await;
        assert_eq!(again["statusCode"], json!(status), "{known}");
        assert_eq!(again["headers"]["etag"], first["headers"]["etag"]);
        assert_eq!(again["body"].as_str().unwrap_or_default().is_empty(), status == 304, "{known}");
    }
}

#[tokio::test]
async fn a_file_is_compressed_for_clients_that_accept_gzip() {
    for (accepted, is_compressed) in [
        ("gzip", true),
        ("br, gzip;q=0.8", true),
        ("GZIP", true),
        ("gzip;q=0", false),
        ("br", false),
        ("identity", false),
    ] {
        let reply = get(&Settings::default(), Some("main.js"), &[("accept-encoding", accepted)]).await;
        assert_eq!(reply["headers"]["content-encoding"] == json!("gzip"), is_compressed, "{accepted}");
        assert_eq!(reply["isBase64Encoded"], json!(is_compressed), "{accepted}");
        assert_eq!(reply["headers"]["vary"], json!("accept-encoding"));
    }
}
