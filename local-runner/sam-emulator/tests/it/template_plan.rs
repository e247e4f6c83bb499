//! The orders template becomes a plan; a template with anything that is not supported is an error.

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
fn the_routes_table_lists_http_and_websocket_routes() {
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
fn the_functions_table_lists_every_trigger_of_a_function() {
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
fn the_queues_table_lists_every_queue_and_its_function() {
    expect![[r#"
        QUEUE    VHOST  BATCH         STATE  FUNCTION
        refunds  shop   10 or 500 ms  on     order-create
    "#]]
    .assert_eq(&overview::queues(&orders(&[])));
}

#[test]
fn the_banner_lists_the_url_of_every_api_and_the_enabled_triggers() {
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
fn a_function_merges_globals_with_its_own_properties() {
    expect![[r#"
        FunctionPlan {
            name: "order-get",
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
            code: CodePlan {
                logical_id: "OrderGet",
                uri: Some(
                    ".",
                ),
                runtime: "provided.al2023",
                handler: "bootstrap",
                binary: Some(
                    "order_get",
                ),
                is_inline: false,
                is_image: false,
            },
        }
    "#]]
    .assert_debug_eq(&orders(&[]).functions["order-get"]);
}

#[test]
fn a_parameter_takes_its_value_from_its_own_name_before_the_environment_variable() {
    let table = |pairs| orders(pairs).functions["order-get"].environment["TABLE"].clone();
    assert_eq!(table(&[]), "orders-test");
    assert_eq!(table(&[("TABLE_NAME", "baskets")]), "baskets-test");
    assert_eq!(table(&[("TABLE_NAME", "x"), ("TableName", "y")]), "y-test");
}

#[test]
fn conditions_and_mappings_depend_on_the_parameters() {
    let plan = orders(&[("Environment", "live")]);
    assert!(plan.functions.contains_key("only-live"));
    assert_eq!(plan.functions["order-get"].memory_mb, 512);
    assert!(plan.schedules.iter().all(|schedule| schedule.enabled));
}

#[test]
fn a_websocket_route_replies_only_with_a_route_response() {
    let api = orders(&[]).websocket.remove(0);
    let replies: Vec<_> = api.routes.iter().map(|(key, route)| (key.as_str(), route.replies)).collect();
    assert_eq!(replies, [("$connect", false), ("$default", true), ("quiet", false)]);
}

#[test]
fn queues_and_schedules_have_the_properties_of_the_template() {
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
                    start: None,
                    end: None,
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
                    start: None,
                    end: None,
                    enabled: false,
                },
            ],
        )
    "#]]
    .assert_debug_eq(&(&plan.queues, &plan.schedules));
}

#[track_caller]
fn assert_error(template: &str, expected: &Expect) {
    let error = template::read(template, &values(&[("Environment", "live")])).unwrap_err();
    expected.assert_eq(&error.to_string());
}

#[test]
fn an_unsupported_template_is_an_error_that_names_the_place_and_the_value() {
    for (template, expected) in [
        ("", expect!["the template is empty"]),
        (
            "Resources: {}\nFunctions: {}",
            expect!["Functions: this property is not supported: remove it, or check its spelling"],
        ),
        ("Resources: &a\n  A: *a", expect!["line 2: this alias is inside the value that it names"]),
        (
            "A: &a [x]\nB: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nC: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nD: &d [*c, *c, *c, *c, *c, *c, *c, *c]\nE: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nF: &f [*e, *e, *e, *e, *e, *e, *e, *e]\nG: [*f, *f, *f, *f, *f, *f, *f, *f]",
            expect!["line 7: the aliases of this template expand without limit"],
        ),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { Events: { E: { Type: Schedule, Properties: { Schedule: rate(5 minute) } } } } }",
            expect![
                "Resources.A.Properties.Events.E.Properties.Schedule: Invalid Schedule Expression rate(5 minute). Use cron(minute hour day month weekday year) or rate(5 minutes)"
            ],
        ),
        ("Resources: { A: { <<: text } }", expect!["line 1: the value of << must be a map"]),
        ("Resources:\n  A: !Transfer x", expect!["line 2: the tag !Transfer is not supported"]),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { Timeot: 3 } }",
            expect![
                "Resources.A.Properties.Timeot: this property is not supported: remove it, or check its spelling"
            ],
        ),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { Events: { E: { Type: SQL } } } }",
            expect!["Resources.A.Properties.Events.E.Type: `SQL` is not a type of event that SAM has"],
        ),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { Timeout: !Sub '${B' } }",
            expect!["Resources.A.Properties.Timeout.Fn::Sub: a `${` has no closing `}`"],
        ),
        ("a: [", expect!["line 2: while parsing a node, did not find expected node content"]),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { Timeout: 901 } }",
            expect!["Resources.A.Properties.Timeout: expected a whole number from 1 to 900, found `901`"],
        ),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { FunctionName: !Ref B } }",
            expect!["Resources.A.Properties.FunctionName.Ref: there is no parameter or resource named `B`"],
        ),
        (
            "Parameters: { P: { Type: String } }\nResources:\n  A: { Type: AWS::Serverless::Function, Properties: { FunctionName: !Ref P } }",
            expect!["Parameters.P: no Default and no value: set it with --parameter-overrides P=VALUE"],
        ),
        (
            "Parameters: { Environment: { Type: String, AllowedValues: [test] } }\nResources: {}",
            expect!["Parameters.Environment.AllowedValues: `live` is not an allowed value; use one of: test"],
        ),
        (
            "Conditions: { C: !Condition C }\nResources: { A: { Type: AWS::SQS::Queue, Condition: C } }",
            expect!["Conditions.C: this condition depends on itself"],
        ),
        (
            "Conditions: { C: !Equals [!If [C, a, b], a] }\nResources: { A: { Type: AWS::SQS::Queue, Condition: C } }",
            expect!["Conditions.C: Fn::If is not allowed in a condition; use Fn::And, Fn::Or and Fn::Not"],
        ),
        (
            "Resources: {}\n---\nResources: {}",
            expect!["line 2: a second YAML document is not supported; a template is one document"],
        ),
        (
            "Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events: { E: { Type: HttpApi, Properties: { Method: GET, Path: '/{a+}/b' } } }",
            expect![
                "Resources.A.Properties.Events.E.Properties.Path: the greedy parameter {a+} must be the last segment"
            ],
        ),
        (
            "Resources:\n  A: { Type: AWS::Serverless::Function, Properties: { Timeout: { 'Fn::ImportValue': x } } }",
            expect![
                "Resources.A.Properties.Timeout.Fn::ImportValue: the export x of another stack has no value here"
            ],
        ),
    ] {
        assert_error(template, &expected);
    }
}

#[test]
fn a_malformed_or_oversized_template_is_an_error() {
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
fn a_damaged_template_never_panics() {
    let bytes = ORDERS.as_bytes();
    for at in (0..bytes.len()).step_by(23) {
        for insertion in ["", "[", "}", "!Ref ", "'", ": ", "\n", "${"] {
            let mut text = bytes[..at].to_vec();
            text.extend_from_slice(insertion.as_bytes());
            text.extend_from_slice(&bytes[(at + 5).min(bytes.len())..]);
            let _ = template::read(&String::from_utf8_lossy(&text), &BTreeMap::new());
        }
    }
}

/// The properties of one `ScheduleV2` event.
fn scheduler(properties: &str) -> Result<Plan, String> {
    let template = format!(
        "Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events: \
         {{ E: {{ Type: ScheduleV2, Properties: {{ ScheduleExpression: rate(1 hour), {properties} }} }} }}"
    );
    template::read(&template, &BTreeMap::new()).map_err(|error| error.to_string())
}

#[test]
fn a_flexible_window_and_dates_of_a_schedule_are_read_or_refused() {
    let flexible = "FlexibleTimeWindow: { Mode: FLEXIBLE, MaximumWindowInMinutes: 15 }";
    let dates = "StartDate: '2026-01-01T00:00:00.500Z', EndDate: '2026-02-01T00:00:00'";
    let plan = &scheduler(&format!("{flexible}, {dates}")).unwrap().schedules[0];
    assert_eq!(plan.start.unwrap().to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(plan.end.unwrap().to_string(), "2026-02-01T00:00:00Z");
    for (properties, error) in [
        ("FlexibleTimeWindow: { Mode: FLEXIBLE }", "FlexibleTimeWindow: MaximumWindowInMinutes is missing"),
        ("FlexibleTimeWindow: { Mode: SOON }", "Mode: expected OFF or FLEXIBLE, found `SOON`"),
        ("StartDate: tomorrow", "StartDate: expected a date like 2026-01-31T12:00:00Z, found `tomorrow`"),
        (
            "StartDate: '2026-02-01T00:00:00Z', EndDate: '2026-01-01T00:00:00Z'",
            "EndDate must be after StartDate",
        ),
    ] {
        let found = scheduler(properties).unwrap_err();
        assert!(
            found.starts_with("Resources.A.Properties.Events.E.Properties") && found.ends_with(error),
            "{found}"
        );
    }
}
