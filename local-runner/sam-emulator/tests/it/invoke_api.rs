//! The Invoke API over real HTTP: the responses that the SDK expects, and its asynchronous queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use expect_test::expect;
use sam_emulator::invoke::{FunctionError, Invocation, Registry};
use tokio::sync::mpsc;

use crate::test_server::{TestResponse, TestServer};

const REPORT: &str = "POST /2015-03-31/functions/report-daily/invocations";

/// Status, the two headers that classify an error, and the body.
fn brief(response: &TestResponse) -> String {
    let kind = format!("{}{}", response.header("x-amzn-errortype"), response.header("x-amz-function-error"));
    format!("{} {kind} {}", response.status, response.body)
}

#[tokio::test]
async fn a_response_has_the_status_headers_and_body_of_lambda() {
    let server = TestServer::start().await;
    let typed = |kind: &str| format!("{REPORT}\nX-Amz-Invocation-Type: {kind}");
    for (head, body, expected) in [
        (REPORT.to_owned(), r#"{"a":1}"#, expect![[r#"200  {"event":{"a":1}}"#]]),
        (REPORT.to_owned(), "", expect![[r#"200  {"event":{}}"#]]),
        (
            REPORT.to_owned(),
            r#"{"fail":true}"#,
            expect![[r#"200 Unhandled {"errorType":"ReportError","errorMessage":"no paper"}"#]],
        ),
        (
            REPORT.to_owned(),
            "no json",
            expect![[
                r#"400 InvalidRequestContentException {"Type":"User","message":"Could not parse request body into json: expected ident at line 1 column 2"}"#
            ]],
        ),
        (typed("RequestResponse"), "{}", expect![[r#"200  {"event":{}}"#]]),
        (typed("DryRun"), "{}", expect!["204  "]),
        (typed("Event"), "{}", expect!["202  "]),
        (
            typed("Other"),
            "{}",
            expect![[
                r#"400 InvalidParameterValueException {"Type":"User","message":"Invalid invocation type: Other"}"#
            ]],
        ),
        (
            REPORT.replace("daily", "yearly"),
            "{}",
            expect![[
                r#"404 ResourceNotFoundException {"Type":"User","Message":"Function not found: arn:aws:lambda:us-east-1:123456789012:function:report-yearly:$LATEST"}"#
            ]],
        ),
        (
            REPORT.replace("POST", "GET"),
            "",
            expect![[r#"404 UnknownOperationException {"Type":"User","message":"No such operation."}"#]],
        ),
    ] {
        let response = server.send(&head, body).await;
        assert_eq!(response.header("x-amzn-requestid").len(), 36);
        let version = if response.status == 200 { "$LATEST" } else { "" };
        assert_eq!(response.header("x-amz-executed-version"), version);
        expected.assert_eq(&brief(&response));
    }
}

#[tokio::test]
async fn a_function_is_found_by_name_partial_arn_and_arn() {
    let server = TestServer::start().await;
    for (name, status) in [
        ("report-daily", 200),
        ("report-daily:$LATEST", 200),
        ("report-daily?Qualifier=%24LATEST", 200),
        ("123456789012:function:report-daily", 200),
        ("arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Areport-daily", 200),
        ("arn:aws:lambda:us-east-1:123456789012:function:report-daily:$LATEST", 200),
        ("report-daily:live", 404),
        ("report-daily?Qualifier=live", 404),
        ("report-daily?x=1&Qualifier=l%69ve", 404),
        ("report-daily?Qualifier=", 404),
        ("report-daily?qualifier=live", 200),
        ("a:b:c:d:e", 400),
        ("report%20daily", 400),
        ("", 400),
    ] {
        let (name, query) = name.split_once('?').unwrap_or((name, ""));
        let path = format!("POST /2015-03-31/functions/{name}/invocations?{query}");
        assert_eq!(server.send(&path, "{}").await.status, status, "{name}");
    }
}

#[tokio::test]
async fn a_payload_over_the_limit_is_413() {
    let server = TestServer::start().await;
    let text = |size: usize| format!("\"{}\"", "x".repeat(size - 2));
    let event = format!("{REPORT}\nX-Amz-Invocation-Type: Event");
    for (head, size, status) in [
        (REPORT, 5 << 20, 200),
        (REPORT, (6 << 20) + 1, 413),
        (event.as_str(), 1 << 20, 202),
        (event.as_str(), (1 << 20) + 1, 413),
    ] {
        let response = server.send(head, text(size)).await;
        assert_eq!(response.status, status);
        let expected = if status == 413 { "RequestTooLargeException" } else { "" };
        assert_eq!(response.header("x-amzn-errortype"), expected);
    }
}

#[tokio::test]
async fn a_panic_a_timeout_and_throttling_have_the_errors_of_lambda() {
    let mut functions = Registry::default();
    functions.add("order-get", |_, _| async { panic!("out of stock") });
    functions.add("files", |_, _| std::future::pending());
    functions.add("order-create", |_, _| async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(Bytes::new())
    });
    let server = TestServer::with(functions).await;
    let path = |name: &str| format!("POST /2015-03-31/functions/{name}/invocations");
    let panicked = server.send(&path("order-get"), "").await;
    expect![[r#"200 Unhandled {"errorType":"&alloc::boxed::Box<dyn core::any::Any + core::marker::Send>","errorMessage":"Lambda panicked: out of stock"}"#]].assert_eq(&brief(&panicked));
    let late = server.send(&path("files"), "").await;
    let id = late.header("x-amzn-requestid");
    assert_eq!(late.json()["errorType"], "Sandbox.Timedout");
    assert_eq!(
        late.json()["errorMessage"],
        format!("RequestId: {id} Error: Task timed out after 1.00 seconds")
    );
    let missing = server.send(&path("report-daily"), "").await;
    assert_eq!(missing.json()["errorType"], "Runtime.InvalidEntrypoint");
    let path = path("order-create");
    let (first, second) = tokio::join!(server.send(&path, ""), async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        server.send(&path, "").await
    });
    expect!["200  null"].assert_eq(&brief(&first));
    expect![[r#"429 TooManyRequestsException {"Type":"User","message":"Rate Exceeded.","Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"}"#]].assert_eq(&brief(&second));
}

/// Functions that fail the first `failures` times, and a channel with the request id of every attempt.
fn failing(failures: u32) -> (Registry, mpsc::UnboundedReceiver<String>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let attempts = Arc::new(AtomicU32::new(0));
    let mut registry = Registry::default();
    for name in ["report-daily", "order-create"] {
        let (sender, attempts) = (sender.clone(), Arc::clone(&attempts));
        registry.add(name, move |call: Invocation, _| {
            let failed = attempts.fetch_add(1, Ordering::SeqCst) < failures;
            sender.send(call.request_id).unwrap();
            async move {
                if failed { Err(FunctionError::new("E", "again")) } else { Ok(Bytes::from_static(b"null")) }
            }
        });
    }
    (registry, receiver)
}

#[tokio::test]
async fn an_event_is_retried_as_often_as_the_template_allows() {
    for (name, failures, attempts) in
        [("report-daily", 0, 1), ("report-daily", 1, 2), ("report-daily", 9, 3), ("order-create", 9, 2)]
    {
        let (registry, mut seen) = failing(failures);
        let server = TestServer::with(registry).await;
        let head = format!("POST /2015-03-31/functions/{name}/invocations\nX-Amz-Invocation-Type: Event");
        let response = server.send(&head, "{}").await;
        let id = response.header("x-amzn-requestid").to_owned();
        for _ in 0..attempts {
            assert_eq!(seen.recv().await.unwrap(), id);
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(seen.try_recv().is_err(), "{name} was tried more than {attempts} times");
    }
}

#[tokio::test]
async fn queued_events_are_delivered_during_shutdown() {
    let (registry, mut seen) = failing(1);
    let server = TestServer::with(registry).await;
    server.send(&format!("{REPORT}\nX-Amz-Invocation-Type: Event"), "{}").await;
    server.stop().await.unwrap();
    assert_eq!(seen.try_recv().unwrap(), seen.try_recv().unwrap());
}

#[tokio::test]
async fn the_log_tail_has_the_lines_of_lambda_and_the_error() {
    let server = TestServer::start().await;
    let tail = |response: &TestResponse| {
        let log = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            response.header("x-amz-log-result"),
        );
        String::from_utf8(log.unwrap()).unwrap().replace(response.header("x-amzn-requestid"), "ID")
    };
    let head = format!("{REPORT}\nX-Amz-Log-Type: Tail");
    let log = tail(&server.send(&head, "{}").await);
    assert!(
        log.starts_with(
            "START RequestId: ID Version: $LATEST\nEND RequestId: ID\nREPORT RequestId: ID\tDuration: "
        ),
        "{log}"
    );
    assert!(log.contains("\tMemory Size: 256 MB"), "{log}");
    let log = tail(&server.send(&head, r#"{"fail":true}"#).await);
    assert!(log.contains(r#"{"errorType":"ReportError","errorMessage":"no paper"}"#), "{log}");
    assert!(log.ends_with("\tStatus: error\n"), "{log}");
    assert_eq!(server.send(REPORT, "{}").await.header("x-amz-log-result"), "");
}

#[tokio::test]
async fn the_client_context_reaches_the_function_or_is_refused() {
    let mut functions = Registry::default();
    functions.add("report-daily", |call: Invocation, _| async move {
        Ok(Bytes::from(call.client_context.unwrap_or_else(|| "null".to_owned())))
    });
    let server = TestServer::with(functions).await;
    let with = |context: &str| format!("{REPORT}\nX-Amz-Client-Context: {context}");
    assert_eq!(server.send(&with("eyJhIjoxfQ=="), "{}").await.body, r#"{"a":1}"#);
    let too_long = "IDE=".repeat(900);
    for context in ["%", "bm90IGpzb24=", too_long.as_str()] {
        let response = server.send(&with(context), "{}").await;
        assert_eq!(
            brief(&response),
            r#"400 InvalidRequestContentException {"Type":"User","message":"Client context must be a valid Base64-encoded JSON object."}"#
        );
    }
}

#[tokio::test]
async fn a_response_stream_has_the_payload_and_its_end() {
    let server = TestServer::start().await;
    let path = "POST /2021-11-15/functions/report-daily/response-streaming-invocations";
    let response = server.send(path, r#"{"a":1}"#).await;
    assert_eq!(
        (response.status, response.header("content-type")),
        (200, "application/vnd.amazon.eventstream")
    );
    assert_eq!(response.header("x-amz-executed-version"), "$LATEST");
    for part in ["PayloadChunk", r#"{"event":{"a":1}}"#, "InvokeComplete"] {
        assert!(response.body.contains(part), "{part}: {:?}", response.body);
    }
    let failed = server.send(path, r#"{"fail":true}"#).await;
    assert!(failed.body.contains(r#""ErrorCode":"Unhandled","ErrorDetails":"#), "{:?}", failed.body);
    assert!(!failed.body.contains("PayloadChunk"));
    let event = server.send(&format!("{path}\nX-Amz-Invocation-Type: Event"), "{}").await;
    assert_eq!((event.status, event.header("x-amzn-errortype")), (400, "InvalidParameterValueException"));
}

#[tokio::test]
async fn invoke_async_queues_an_event_and_paths_of_lambda_get_lambdas_errors() {
    let (sender, mut events) = mpsc::unbounded_channel();
    let mut functions = Registry::default();
    functions.add("report-daily", move |call: Invocation, _| {
        let _ = sender.send(call.payload);
        async { Ok(Bytes::new()) }
    });
    let server = TestServer::with(functions).await;
    for path in [
        "/2014-11-13/functions/report-daily/invoke-async/",
        "/2014-11-13/functions/report-daily/invoke-async",
    ] {
        let response = server.send(&format!("POST {path}"), r#"{"a":1}"#).await;
        assert_eq!((response.status, response.body.as_str()), (202, ""));
        assert_eq!(events.recv().await.unwrap(), r#"{"a":1}"#);
    }
    for request in [
        "GET /2015-03-31/functions/",
        "GET /2015-03-31/functions/report-daily",
        "POST /2015-03-31/event-source-mappings/",
        "PUT /2017-10-31/functions/report-daily/concurrency",
        "GET /2021-10-31/functions/report-daily/url",
    ] {
        let response = server.send(request, "").await;
        assert_eq!(
            (response.status, response.header("x-amzn-errortype")),
            (404, "UnknownOperationException"),
            "{request}"
        );
    }
    // Another date or resource is a path of the application.
    assert_eq!(server.send("GET /2024-01-31/functions", "").await.header("x-amzn-errortype"), "");
}
