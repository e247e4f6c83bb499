//! The Runtime API as a function's process meets it: environment, headers, logs, and the answers to wrong calls.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use expect_test::expect;
use sam_emulator::invoke::Invocation;
use serde_json::Value;

use crate::bench::Bench;

const CLIENT_CONTEXT: &str = r#"{"client":{"installation_id":"i","app_title":"","app_version_name":"","app_version_code":"","app_package_name":""},"custom":{"k":"v"},"env":{}}"#;

#[tokio::test]
async fn a_process_has_the_environment_of_lambda_and_nothing_else() {
    let variables = "{ TABLE: orders, BOTH: template, AWS_LAMBDA_FUNCTION_NAME: mine, \
                     PUSH: 'https://Api.execute-api.us-east-1.amazonaws.com/live' }";
    let properties = format!("MemorySize: 512, Environment: {{ Variables: {variables} }}");
    let bench = Bench::new(&[("echo", &properties)]).await;
    let mut environment = bench.call("echo", "{}").await.unwrap()["environment"].take();
    for (name, start) in
        [("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:"), ("TMPDIR", "/"), ("LAMBDA_TASK_ROOT", "/")]
    {
        let value = environment.as_object_mut().unwrap().remove(name).unwrap();
        assert!(value.as_str().unwrap().starts_with(start), "{name}: {value}");
    }
    let stream = environment.as_object_mut().unwrap().remove("AWS_LAMBDA_LOG_STREAM_NAME").unwrap();
    assert!(stream.as_str().unwrap().contains("/[$LATEST]"), "{stream}");
    // The Rust runtime sets it itself, for each event.
    environment.as_object_mut().unwrap().remove("_X_AMZN_TRACE_ID").unwrap();
    let environment = serde_json::to_string_pretty(&environment).unwrap();
    expect![[r#"
        {
          "AWS_ACCESS_KEY_ID": "local",
          "AWS_DEFAULT_REGION": "us-east-1",
          "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:3000",
          "AWS_EXECUTION_ENV": "AWS_Lambda_provided.al2023",
          "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
          "AWS_LAMBDA_FUNCTION_NAME": "echo",
          "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
          "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
          "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/echo",
          "AWS_REGION": "us-east-1",
          "AWS_SECRET_ACCESS_KEY": "local",
          "AWS_SESSION_TOKEN": "local",
          "BOTH": "template",
          "FROM_ENV_FILE": "yes",
          "LAMBDA_RUNTIME_DIR": "/var/runtime",
          "LANG": "en_US.UTF-8",
          "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
          "PUSH": "http://127.0.0.1:3000/live",
          "TABLE": "orders",
          "TZ": ":UTC",
          "_HANDLER": "bootstrap"
        }"#]]
    .assert_eq(&environment);
}

#[tokio::test]
async fn an_event_has_the_headers_of_lambda() {
    let bench = Bench::new(&[("echo", "Timeout: 5")]).await;
    let mut call = Invocation::new("echo", Bytes::from_static(b"{\"a\": 1}"));
    call.client_context = Some(CLIENT_CONTEXT.to_owned());
    let id = call.request_id.clone();
    let before = SystemTime::now();
    let reply: Value = serde_json::from_slice(&bench.invoke(call).await.unwrap()).unwrap();
    let deadline = UNIX_EPOCH + Duration::from_millis(reply["deadline"].as_u64().unwrap());
    let remaining = deadline.duration_since(before).unwrap();
    assert!((Duration::from_millis(4900)..Duration::from_secs(20)).contains(&remaining), "{remaining:?}");
    assert_eq!(reply["requestId"], id);
    assert_eq!(reply["arn"], "arn:aws:lambda:us-east-1:123456789012:function:echo");
    assert_eq!(reply["clientContext"]["custom"]["k"], "v");
    let trace = reply["trace"].as_str().unwrap();
    assert!(
        trace.starts_with("Root=1-") && trace.ends_with(";Sampled=0") && trace.contains(";Parent="),
        "{trace}"
    );
    assert_eq!(reply["event"]["a"], 1);
}

#[tokio::test]
async fn wrong_calls_get_the_errors_of_lambda() {
    let bench = Bench::new(&[("protocol", "")]).await;
    let statuses = bench.call("protocol", "{}").await.unwrap();
    let lines: String = statuses
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| format!("{}: {}\n", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .collect();
    expect![[r#"
        response before the first event: 403 InvalidStateTransition
        no such operation: 404 NotFound
        from a web page: 403 ForbiddenOrigin
        ping: 200
        next during an invocation: 403 InvalidStateTransition
        initialization error after it: 403 InvalidStateTransition
        another id: 400 InvalidRequestID
        another mode: 400 InvalidFunctionResponseMode
    "#]]
    .assert_eq(&lines);
    let log = bench.log("protocol", "{}").await;
    assert!(log.contains("a second response: 403 InvalidStateTransition"), "{log}");
    assert_eq!(
        bench.error("protocol", "{}").await,
        r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited without providing a reason"}"#,
        "a third event is more than this runtime takes",
    );
}

#[tokio::test]
async fn a_response_over_the_limit_is_413_and_an_error_for_the_caller() {
    let bench = Bench::new(&[("protocol", "")]).await;
    bench.call("protocol", "{}").await.unwrap();
    expect![[r#"{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}"#]]
        .assert_eq(&bench.error("protocol", "{}").await);
}

#[tokio::test]
async fn the_log_has_the_lines_of_the_process_between_start_and_report() {
    let bench = Bench::new(&[("prints", "")]).await;
    let log = bench.log("prints", r#"{"lines":2}"#).await;
    let (lines, report) = log.split_at(log.find("REPORT").unwrap());
    expect![[r#"
        initializing
        START RequestId: ID Version: $LATEST
        out 0
        error 0
        out 1
        error 1
        without an end
        END RequestId: ID
    "#]]
    .assert_eq(lines);
    let fields: Vec<&str> =
        report.trim_end().split('\t').map(|field| field.split(':').next().unwrap()).collect();
    assert_eq!(
        fields,
        [
            "REPORT RequestId",
            "Duration",
            "Billed Duration",
            "Memory Size",
            "Max Memory Used",
            "Init Duration"
        ]
    );
    let second = bench.log("prints", r#"{"lines":1000}"#).await;
    assert!(
        (3000..=4096).contains(&second.len()) && !second.contains("START") && !second.contains("Init"),
        "{second}"
    );
}
