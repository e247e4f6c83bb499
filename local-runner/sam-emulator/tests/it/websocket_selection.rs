//! Route selection expressions: what they select, and which are not valid.

use sam_emulator::websocket::selection::Selection;

#[test]
fn an_expression_selects_a_route_key_from_the_body() {
    for (expression, body, key) in [
        ("$request.body.action", r#"{"action":"join"}"#, Some("join")),
        ("$request.body.action", r#"{"action":7}"#, Some("7")),
        ("$request.body.action", r#"{"action":true}"#, Some("true")),
        ("$request.body.action", r#"{"action":{"a":[1]}}"#, Some(r#"{"a":[1]}"#)),
        ("$request.body.action", r#"{"action":null}"#, Some("")),
        ("$request.body.action", r#"{}"#, Some("")),
        ("$request.body.action", "[1]", Some("")),
        ("$request.body.action", "40", Some("")),
        ("$request.body.action", "42[\"a\"]", None),
        ("$request.body.action", "", None),
        ("$request.body", r#""text""#, Some("text")),
        ("$request.body.a.b[1]['c d']", r#"{"a":{"b":[0,{"c d":"deep"}]}}"#, Some("deep")),
        ("${request.body.a}/${request.body.b}", r#"{"a":"x","b":"y"}"#, Some("x/y")),
        ("${request.body.a}/${request.body.b}", r#"{"a":"${request.body.b}"}"#, Some("${request.body.b}/")),
        ("v1-${$request.body.a}", r#"{"a":"x"}"#, Some("v1-x")),
        ("always", "{}", Some("always")),
        (r"\$default", "{}", Some("$default")),
    ] {
        let selection = Selection::parse(expression).unwrap();
        assert_eq!(selection.evaluate(body).as_deref(), key, "{expression} on {body}");
    }
}

#[test]
fn an_invalid_expression_is_an_error_that_contains_it() {
    for expression in [
        "$request.header.x",
        "$default",
        "${request.body.a",
        "$request.body.",
        "$request.body..a",
        "$request.body[a]",
        "$request.body['a'",
        "$request.bodyx",
    ] {
        let error = Selection::parse(expression).expect_err(expression);
        assert!(error.to_string().contains(&format!("{expression:?}")), "{error}");
    }
}

#[test]
fn a_body_nested_too_deep_selects_nothing() {
    let deep = "[".repeat(100_000);
    assert_eq!(Selection::parse("$request.body.a").unwrap().evaluate(&deep), None);
}
