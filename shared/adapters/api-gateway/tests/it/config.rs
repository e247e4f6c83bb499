//! What the environment must say, on AWS and on this machine.

use adapter_api_gateway::{Gateway, Lambda};
use expect_test::{Expect, expect};

use crate::aws::{KEYS, env};

const AWS: (&str, &str) = ("PUSH_ENDPOINT", "https://abc.execute-api.eu-central-1.amazonaws.com/live");
const LOCAL: (&str, &str) = ("PUSH_ENDPOINT", "http://127.0.0.1:3000/live");

fn check(values: &[(&str, &str)], expected: &Expect) {
    let mut env = env(values);
    Gateway::from_env(&mut env);
    expected.assert_eq(&env.finish().map_or_else(|problems| problems.to_string(), |()| "fine".to_owned()));
}

#[test]
fn every_problem_is_told_at_once() {
    check(
        &[],
        &expect![[r#"
        cannot start:
          PUSH_ENDPOINT is missing: where to push, as https://{domain}/{stage} or http://127.0.0.1:3000/live
          AWS_REGION is missing: Lambda sets it; signatures name it
          AWS_ACCESS_KEY_ID is missing: Lambda sets it; it signs calls to AWS
          AWS_SECRET_ACCESS_KEY is missing: Lambda sets it; it signs calls to AWS"#]],
    );
    check(
        &[AWS],
        &expect![[r#"
        cannot start:
          AWS_REGION is missing: Lambda sets it; signatures name it
          AWS_ACCESS_KEY_ID is missing: Lambda sets it; it signs calls to AWS
          AWS_SECRET_ACCESS_KEY is missing: Lambda sets it; it signs calls to AWS"#]],
    );
    check(&[&[AWS], &KEYS[..]].concat(), &expect![["fine"]]);
    check(
        &[&[("PUSH_ENDPOINT", "http://10.0.0.1/live")], &KEYS[..]].concat(),
        &expect![[r#"
        cannot start:
          PUSH_ENDPOINT must begin with https://, or with http:// and lie on this machine"#]],
    );
    check(
        &[&[AWS, ("LAMBDA_ENDPOINT", "ftp://x")], &KEYS[..]].concat(),
        &expect![[r#"
        cannot start:
          LAMBDA_ENDPOINT must begin with https://, or with http:// and lie on this machine"#]],
    );
}

#[test]
fn this_machine_needs_no_keys_but_never_half_of_them() {
    check(&[LOCAL], &expect![["fine"]]);
    check(
        &[LOCAL, KEYS[1]],
        &expect![[r#"
        cannot start:
          AWS_SECRET_ACCESS_KEY is missing: Lambda sets it; it signs calls to AWS"#]],
    );
    check(
        &[LOCAL, ("LAMBDA_ENDPOINT", "https://lambda.eu-central-1.amazonaws.com")],
        &expect![[r#"
        cannot start:
          AWS_REGION is missing: Lambda sets it; signatures name it
          AWS_ACCESS_KEY_ID is missing: Lambda sets it; it signs calls to AWS
          AWS_SECRET_ACCESS_KEY is missing: Lambda sets it; it signs calls to AWS"#]],
    );
}

#[test]
fn lambda_alone_needs_its_own_variables() {
    let mut bare = env(&[]);
    Lambda::from_env(&mut bare);
    expect![[r#"
        cannot start:
          AWS_REGION is missing: Lambda sets it; signatures name it
          AWS_ACCESS_KEY_ID is missing: Lambda sets it; it signs calls to AWS
          AWS_SECRET_ACCESS_KEY is missing: Lambda sets it; it signs calls to AWS"#]]
    .assert_eq(&bare.finish().unwrap_err().to_string());
    let mut given = env(&KEYS);
    Lambda::from_env(&mut given);
    given.finish().unwrap();
}
