//! A template that is not ours becomes a plan; what the reader does not know is refused by name.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use sam_emulator::plan::Plan;
use sam_emulator::{overview, template};

const ORDERS: &str = include_str!("orders.yaml");

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn orders(pairs: &[(&str, &str)]) -> Plan {
    template::read(ORDERS, &values(pairs)).unwrap()
}

#[test]
fn routes_are_listed() {
    expect![[r#"
        METHOD  PATH            FUNCTION
        GET     /orders/{id}    order-get
        POST    /orders         order-create
        ANY     /files/{path+}  files
        GET     /old            files
        WS      /live $connect  files
        WS      /live $default  files
        WS      /live quiet     files
    "#]]
    .assert_eq(&overview::routes(&orders(&[]), &[]));
}

#[test]
fn functions_are_listed_with_what_calls_them() {
    expect![[r#"
        FUNCTION      TIMEOUT  MEMORY  CALLED BY
        files         1 s      256 MB  ANY /files/{path+}, GET /old, WS $connect, WS $default, WS quiet
        order-create  5 s      256 MB  POST /orders, queue refunds
        order-get     5 s      256 MB  GET /orders/{id}
        report-daily  5 s      256 MB  cron(0 2 * * ? *) Europe/Istanbul, rate(1 hour) UTC
    "#]]
    .assert_eq(&overview::functions(&orders(&[])));
}

#[test]
fn queues_are_listed() {
    expect![[r#"
        QUEUE    VHOST  BATCH         STATE  FUNCTION
        refunds  shop   10 or 500 ms  on     order-create
    "#]]
    .assert_eq(&overview::queues(&orders(&[])));
}

#[test]
fn the_banner_says_what_runs_where() {
    let address = "127.0.0.1:3000".parse().unwrap();
    let banner = format!("banner\n{}", overview::banner(&orders(&[]), address));
    expect![[r#"
        banner
          HTTP API    http://127.0.0.1:3000/  (4 routes)
          WebSocket   ws://127.0.0.1:3000/live  (3 routes)
          push        http://127.0.0.1:3000/live/@connections/{id}
          Invoke API  http://127.0.0.1:3000/2015-03-31/functions/{name}/invocations  (4 functions)
          schedule    cron(0 2 * * ? *) Europe/Istanbul -> report-daily
          queue       refunds -> order-create
    "#]]
    .assert_eq(&banner);
}

#[test]
fn a_function_has_its_globals_and_its_own_values() {
    expect![[r#"
        FunctionPlan {
            name: "order-get",
            logical_id: "OrderGet",
            timeout: 5s,
            memory_mb: 256,
            environment: {
                "QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:Orders",
                "STAGE": "overridden",
                "TABLE": "orders-test",
            },
            async_retries: 2,
            async_max_age: 21600s,
            reserved_concurrency: None,
            binary: "order_get",
        }
    "#]]
    .assert_debug_eq(&orders(&[]).functions["order-get"]);
}

#[test]
fn parameters_come_from_their_own_name_or_the_environments() {
    let table = |pairs| orders(pairs).functions["order-get"].environment["TABLE"].clone();
    assert_eq!(table(&[]), "orders-test");
    assert_eq!(table(&[("TABLE_NAME", "baskets")]), "baskets-test");
    assert_eq!(table(&[("TABLE_NAME", "x"), ("TableName", "y")]), "y-test");
}

#[test]
fn conditions_and_mappings_follow_the_parameters() {
    let plan = orders(&[("Environment", "live")]);
    assert!(plan.functions.contains_key("only-live"));
    assert_eq!(plan.functions["order-get"].memory_mb, 512);
    assert!(plan.schedules.iter().all(|schedule| schedule.enabled));
}

#[test]
fn a_websocket_route_replies_only_with_a_route_response() {
    let api = orders(&[]).websocket.unwrap();
    let replies: Vec<_> = api.routes.iter().map(|(key, route)| (key.as_str(), route.replies)).collect();
    assert_eq!(replies, [("$connect", false), ("$default", true), ("quiet", false)]);
}

#[test]
fn queues_and_schedules_keep_their_words() {
    let plan = orders(&[("AWS_REGION", "eu-central-1")]);
    expect![[r#"
        (
            [
                QueuePlan {
                    name: "Refund",
                    function: "order-create",
                    queue: "refunds",
                    virtual_host: "shop",
                    batch_size: 10,
                    batching_window: 500ms,
                    broker_arn: "arn:aws:mq:eu-central-1:123456789012:broker:shop",
                    enabled: true,
                },
            ],
            [
                SchedulePlan {
                    name: "ReportNightly",
                    function: "report-daily",
                    kind: Scheduler,
                    expression: "cron(0 2 * * ? *)",
                    timezone: "Europe/Istanbul",
                    input: None,
                    enabled: true,
                },
                SchedulePlan {
                    name: "ReportHourly",
                    function: "report-daily",
                    kind: Rule,
                    expression: "rate(1 hour)",
                    timezone: "UTC",
                    input: Some(
                        "{\"a\":1}",
                    ),
                    enabled: false,
                },
            ],
        )
    "#]]
    .assert_debug_eq(&(&plan.queues, &plan.schedules));
}

#[track_caller]
fn refuses(template: &str, expected: &Expect) {
    let error = template::read(template, &values(&[("Environment", "live")])).unwrap_err();
    expected.assert_eq(&error.to_string());
}

#[test]
fn the_unknown_is_refused_by_name() {
    for (template, expected) in [
        ("", expect!["the template is empty"]),
        ("a: [", expect!["line 2: while parsing a node, did not find expected node content"]),
        ("Resources: {}\nRules: {}", expect!["Rules: the local runner does not know this property"]),
        (
            "Resources:\n  A: { Type: 'AWS::DynamoDB::Table' }",
            expect!["Resources.A.Type: the local runner does not know AWS::DynamoDB::Table"],
        ),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { InlineCode: x } }",
            expect!["Resources.A.Properties.InlineCode: the local runner does not know this property"],
        ),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { Timeout: 901 } }",
            expect!["Resources.A.Properties.Timeout: expected a whole number from 1 to 900, found `901`"],
        ),
        (
            "Resources:\n  A: !Transform x",
            expect!["line 2: the local runner does not know the tag !Transform"],
        ),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { FunctionName: !Ref B } }",
            expect!["Resources.A.Properties.FunctionName.Ref: `B` names no parameter and no resource"],
        ),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { Description: !Sub '${B' } }",
            expect!["Resources.A.Properties.Description.Fn::Sub: `${` without `}`"],
        ),
        (
            "Parameters: { P: { Type: String } }\nResources:\n  A: { Type: AWS::Serverless::Function, Properties: { FunctionName: !Ref P } }",
            expect!["Parameters.P: no Default and no value: set P in the environment or in --env-file"],
        ),
        (
            "Parameters: { Environment: { Type: String, AllowedValues: [test] } }\nResources: {}",
            expect!["Parameters.Environment.AllowedValues: `live` is not among the allowed values"],
        ),
        (
            "Conditions: { C: !Condition C }\nResources: { A: { Type: AWS::SQS::Queue, Condition: C } }",
            expect!["Conditions.C: conditions go in a circle"],
        ),
        (
            "Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events: { E: { Type: SQS, Properties: {} } }",
            expect![
                "Resources.A.Properties.Events.E.Type: the local runner does not know the event type SQS"
            ],
        ),
        (
            "Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events: { E: { Type: HttpApi, Properties: { Method: GET, Path: '/{a+}/b' } } }",
            expect!["Resources.A.Properties.Events.E.Properties.Path: {a+} is greedy and must come last"],
        ),
        ("Resources: &a\n  A: *a", expect!["line 2: aliases are not supported, by CloudFormation neither"]),
        ("Resources: { A: 1, A: 2 }", expect!["line 1: `A` is given twice"]),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { Timeout: !Fn::GetAZs '' } }",
            expect!["line 2: the local runner does not know the tag !Fn::GetAZs"],
        ),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { Timeout: { 'Fn::ImportValue': x } } }",
            expect![
                "Resources.A.Properties.Timeout.Fn::ImportValue: the local runner does not know Fn::ImportValue"
            ],
        ),
    ] {
        refuses(template, &expected);
    }
}

#[test]
fn hostile_templates_end_in_an_error() {
    let deep = format!("Resources: {}", "[".repeat(200));
    let deep_blocks: String = (0..200).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    let huge = format!("Resources: '{}'", "x".repeat(2 << 20));
    for text in [
        deep.as_str(),
        &deep_blocks,
        &huge,
        "\0",
        "%",
        "? [a]\n: b",
        "- - - -",
        "!!binary x",
        "{{{{",
        "\u{feff}",
    ] {
        assert!(template::read(text, &BTreeMap::new()).is_err());
    }
}

#[test]
fn no_damaged_template_panics() {
    let bytes = ORDERS.as_bytes();
    for at in (0..bytes.len()).step_by(23) {
        for junk in ["", "[", "}", "!Ref ", "'", ": ", "\n", "${"] {
            let mut text = bytes[..at].to_vec();
            text.extend_from_slice(junk.as_bytes());
            text.extend_from_slice(&bytes[(at + 5).min(bytes.len())..]);
            let _ = template::read(&String::from_utf8_lossy(&text), &BTreeMap::new());
        }
    }
}
