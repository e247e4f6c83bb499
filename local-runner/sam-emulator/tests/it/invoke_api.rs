//! The Invoke API over real HTTP: answers as the SDK expects them, and the asynchronous queue behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use expect_test::expect;
use sam_emulator::invoke::{FunctionError, Invocation, Registry};
use tokio::sync::mpsc;

use crate::world::{Answer, World};

const REPORT: &str = "POST /2015-03-31/functions/report-daily/invocations";

/// Status, the two headers that classify an error, and the body.
fn brief(answer: &Answer) -> String {
    let kind = format!("{}{}", answer.header("x-amzn-errortype"), answer.header("x-amz-function-error"));
    format!("{} {kind} {}", answer.status, answer.body)
}

#[tokio::test]
async fn answers_are_those_of_lambda() {
    let world = World::start().await;
    let typed = |kind: &str| format!("{REPORT}\nX-Amz-Invocation-Type: {kind}");
    for (head, body, expected) in [
        (
            REPORT.to_owned(),
            r#"{"a":1}"#,
            expect![[
                r#"200  {"arn":"arn:aws:lambda:us-east-1:123456789012:function:report-daily","event":{"a":1}}"#
            ]],
        ),
        (
            REPORT.to_owned(),
            "",
            expect![[
                r#"200  {"arn":"arn:aws:lambda:us-east-1:123456789012:function:report-daily","event":{}}"#
            ]],
        ),
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
        (
            typed("RequestResponse"),
            "{}",
            expect![[
                r#"200  {"arn":"arn:aws:lambda:us-east-1:123456789012:function:report-daily","event":{}}"#
            ]],
        ),
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
        let answer = world.send(&head, body).await;
        assert_eq!(answer.header("x-amzn-requestid").len(), 36);
        let version = if answer.status == 200 { "$LATEST" } else { "" };
        assert_eq!(answer.header("x-amz-executed-version"), version);
        expected.assert_eq(&brief(&answer));
    }
}

#[tokio::test]
async fn a_function_has_many_names() {
    let world = World::start().await;
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
        assert_eq!(world.send(&path, "{}").await.status, status, "{name}");
    }
}

#[tokio::test]
async fn payloads_have_limits() {
    let world = World::start().await;
    let text = |size: usize| format!("\"{}\"", "x".repeat(size - 2));
    let event = format!("{REPORT}\nX-Amz-Invocation-Type: Event");
    for (head, size, status) in [
        (REPORT, 5 << 20, 200),
        (REPORT, (6 << 20) + 1, 413),
        (event.as_str(), 1 << 20, 202),
        (event.as_str(), (1 << 20) + 1, 413),
    ] {
        let answer = world.send(head, text(size)).await;
        assert_eq!(answer.status, status);
        let expected = if status == 413 { "RequestTooLargeException" } else { "" };
        assert_eq!(answer.header("x-amzn-errortype"), expected);
    }
}

#[tokio::test]
async fn a_panic_a_timeout_and_a_throttle_have_their_errors() {
    let mut functions = Registry::default();
    functions.add("order-get", |_, _| async { panic!("out of stock") });
    functions.add("files", |_, _| std::future::pending());
    functions.add("order-create", |_, _| async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(Bytes::new())
    });
    let world = World::with(functions).await;
    let path = |name: &str| format!("POST /2015-03-31/functions/{name}/invocations");
    let panicked = world.send(&path("order-get"), "").await;
    expect![[r#"200 Unhandled {"errorType":"alloc::boxed::Box<dyn core::any::Any + core::marker::Send>","errorMessage":"Lambda panicked: out of stock"}"#]].assert_eq(&brief(&panicked));
    let late = world.send(&path("files"), "").await;
    let id = late.header("x-amzn-requestid");
    assert_eq!(late.json()["errorType"], "Sandbox.Timedout");
    assert_eq!(
        late.json()["errorMessage"],
        format!("RequestId: {id} Error: Task timed out after 1.00 seconds")
    );
    let missing = world.send(&path("report-daily"), "").await;
    assert_eq!(missing.json()["errorType"], "Runtime.InvalidEntrypoint");
    let path = path("order-create");
    let (first, second) = tokio::join!(world.send(&path, ""), async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        world.send(&path, "").await
    });
    expect!["200  null"].assert_eq(&brief(&first));
    expect![[r#"429 TooManyRequestsException {"Type":"User","message":"Rate Exceeded.","Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"}"#]].assert_eq(&brief(&second));
}

/// Functions that fail the first `failures` times and tell the request id of each attempt.
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
async fn an_event_is_tried_as_often_as_the_template_says() {
    for (name, failures, attempts) in
        [("report-daily", 0, 1), ("report-daily", 1, 2), ("report-daily", 9, 3), ("order-create", 9, 2)]
    {
        let (registry, mut seen) = failing(failures);
        let world = World::with(registry).await;
        let head = format!("POST /2015-03-31/functions/{name}/invocations\nX-Amz-Invocation-Type: Event");
        let answer = world.send(&head, "{}").await;
        let id = answer.header("x-amzn-requestid").to_owned();
        for _ in 0..attempts {
            assert_eq!(seen.recv().await.unwrap(), id);
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(seen.try_recv().is_err(), "{name} was tried more than {attempts} times");
    }
}

#[tokio::test]
async fn what_is_queued_is_delivered_before_the_end() {
    let (registry, mut seen) = failing(1);
    let world = World::with(registry).await;
    world.send(&format!("{REPORT}\nX-Amz-Invocation-Type: Event"), "{}").await;
    world.stop().await.unwrap();
    assert_eq!(seen.try_recv().unwrap(), seen.try_recv().unwrap());
}
