//! What goes wrong in a process has Lambda's error, and touches no other function.

use expect_test::expect;

use crate::bench::Bench;

#[tokio::test]
async fn a_panic_and_an_error_are_the_functions_own() {
    let bench = Bench::new(&[("panics", ""), ("echo", "")]).await;
    expect![[r#"{"errorType":"&alloc::boxed::Box<dyn core::any::Any + core::marker::Send>","errorMessage":"Lambda panicked: {\"a\":1}"}"#]]
        .assert_eq(&bench.error("panics", r#"{"a":1}"#).await);
    expect![[r#"{"errorType":"&alloc::boxed::Box<dyn core::error::Error + core::marker::Send + core::marker::Sync>","errorMessage":"sold out"}"#]]
        .assert_eq(&bench.error("panics", r#"{"error":"sold out"}"#).await);
    // The process has survived both.
    assert!(!bench.log("panics", r#"{"error":"x"}"#).await.contains("Init Duration"));
    bench.call("echo", "{}").await.unwrap();
}

#[tokio::test]
async fn an_exit_is_a_runtime_exit_error_and_the_next_call_starts_a_new_process() {
    let bench = Bench::new(&[("exits", "")]).await;
    expect![[r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 4"}"#]]
        .assert_eq(&bench.error("exits", r#"{"code":4}"#).await);
    expect![[r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited without providing a reason"}"#]]
        .assert_eq(&bench.error("exits", r#"{"code":0}"#).await);
    expect![[r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: aborted"}"#]]
        .assert_eq(&bench.error("exits", "{}").await);
}

#[tokio::test]
async fn a_timeout_ends_the_process_and_all_that_it_started() {
    let bench = Bench::new(&[("sleeps", "Timeout: 1"), ("echo", "")]).await;
    let seconds = "987654";
    let event = format!("{{\"seconds\":\"{seconds}\"}}");
    let (error, ()) = tokio::join!(bench.error("sleeps", &event), async {
        // Meanwhile other functions run.
        bench.call("echo", "{}").await.unwrap();
    });
    expect![[r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 1.00 seconds"}"#]]
        .assert_eq(&error);
    let is_sleeping = || {
        let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
        let lines = processes.filter_map(|process| std::fs::read_to_string(process.join("cmdline")).ok());
        lines.into_iter().any(|line| line.contains(seconds))
    };
    crate::bench::eventually("the process's child has ended", || !is_sleeping()).await;
    assert!(bench.log("sleeps", "{}").await.ends_with("\tStatus: timeout\n"));
}

#[tokio::test]
async fn a_failed_initialization_is_repeated_once_and_then_the_error() {
    let report = "Environment: { Variables: { INIT_FAULT: report } }";
    let hang = "Timeout: 1, Environment: { Variables: { INIT_FAULT: hang } }";
    let bench = Bench::new(&[("fails-in-init", ""), ("echo", "")]).await;
    expect![[r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 3"}"#]]
        .assert_eq(&bench.error("fails-in-init", "{}").await);
    let log = bench.log("fails-in-init", "{}").await;
    assert!(log.starts_with("no table\nINIT_REPORT Init Duration: "), "{log}");
    bench.call("echo", "{}").await.unwrap();

    let bench = Bench::new(&[("fails-in-init", report)]).await;
    expect![[r#"{"errorType":"Config.NoTable","errorMessage":"no table","stackTrace":["main"]}"#]]
        .assert_eq(&bench.error("fails-in-init", "{}").await);

    let bench = Bench::new(&[("fails-in-init", hang)]).await;
    expect![[r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 1.00 seconds"}"#]]
        .assert_eq(&bench.error("fails-in-init", "{}").await);
}

#[tokio::test]
async fn a_stream_is_collected_and_its_late_error_is_the_functions() {
    let bench = Bench::new(&[("streams", "")]).await;
    let reply = bench.call("streams", "{}").await.unwrap();
    expect![[r#"{"body":"part 0;part 1;part 2;","cookies":[],"headers":{"content-type":"application/octet-stream"},"isBase64Encoded":false,"statusCode":200}"#]]
        .assert_eq(&reply.to_string());
    let error = bench.error("streams", r#"{"fail":true}"#).await;
    assert!(error.contains("the source broke off"), "{error}");
    let error = bench.error("streams", r#"{"chunks":700,"size":10000}"#).await;
    assert!(error.contains("Function.ResponseSizeTooLarge"), "{error}");
}
