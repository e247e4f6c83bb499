//! The event of a schedule, and the invocation of the command `fire`.

use expect_test::expect;
use sam_emulator::plan::ScheduleKind::{Rule, Scheduler};
use sam_emulator::plan::{Account, ScheduleKind, SchedulePlan};
use sam_emulator::schedule::{event, fire};

pub(crate) fn plan(name: &str, kind: ScheduleKind, expression: &str) -> SchedulePlan {
    SchedulePlan {
        name: name.to_owned(),
        function: format!("{name}-function"),
        kind,
        expression: expression.to_owned(),
        timezone: "UTC".to_owned(),
        input: None,
        start: None,
        end: None,
        enabled: true,
    }
}

#[test]
fn the_event_has_the_format_of_the_service_of_the_schedule() {
    let at = "2026-01-01T02:00:00.25Z".parse().unwrap();
    let id = "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa";
    let account = Account { region: "eu-central-1".to_owned(), ..Account::default() };
    let json = |kind, input: Option<&str>| {
        let plan = SchedulePlan { input: input.map(str::to_owned), ..plan("nightly", kind, "rate(1 day)") };
        event::build(&plan, at, &account, id)
    };
    expect![[r#"{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event","source":"aws.events","account":"123456789012","time":"2026-01-01T02:00:00Z","region":"eu-central-1","resources":["arn:aws:events:eu-central-1:123456789012:rule/nightly"],"detail":{}}"#]].assert_eq(&json(Rule, None));
    expect![[r#"{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event","source":"aws.scheduler","account":"123456789012","time":"2026-01-01T02:00:00Z","region":"eu-central-1","resources":["arn:aws:scheduler:eu-central-1:123456789012:schedule/default/nightly"],"detail":"{}"}"#]].assert_eq(&json(Scheduler, None));
    let input = r#"{"arn":"<aws.scheduler.schedule-arn>","at":"<aws.scheduler.scheduled-time>","id":"<aws.scheduler.execution-id>","try":<aws.scheduler.attempt-number>,"x":"<aws.scheduler.other>"}"#;
    assert_eq!(json(Rule, Some(input)), input, "a rule's Input replaces the event as it is");
    expect![[r#"{"arn":"arn:aws:scheduler:eu-central-1:123456789012:schedule/default/nightly","at":"2026-01-01T02:00:00Z","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","try":1,"x":"<aws.scheduler.other>"}"#]].assert_eq(&json(Scheduler, Some(input)));
}

#[test]
fn fire_builds_the_event_of_a_schedule_found_by_function_or_by_name() {
    let plans = [plan("minutely", Rule, "rate(1 minute)"), plan("nightly", Scheduler, "cron(0 2 * * ? *)")];
    let at = "2026-07-01T23:00:00Z".parse().unwrap();
    let account = Account { region: "us-east-1".to_owned(), id: "210987654321".to_owned() };
    for target in ["nightly-function", "nightly"] {
        let call = fire(&plans, target, at, &account).unwrap();
        assert_eq!(call.function, "nightly-function");
        let event: serde_json::Value = serde_json::from_slice(&call.payload).unwrap();
        assert_eq!(event["time"], "2026-07-01T23:00:00Z");
        assert_eq!(
            event["resources"][0],
            "arn:aws:scheduler:us-east-1:210987654321:schedule/default/nightly"
        );
        assert_eq!(event["id"].as_str().map(str::len), Some(36));
    }
    expect!["no schedule named weekly, and no schedule for a function of that name; the scheduled functions are: minutely-function, nightly-function"].assert_eq(&fire(&plans, "weekly", at, &account).unwrap_err().to_string());
}
