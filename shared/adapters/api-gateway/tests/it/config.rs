//! The variables that are required on AWS and on this machine.

use adapter_api_gateway::{Gateway, Lambda};
use expect_test::{Expect, expect};

use crate::aws::{KEYS, env};

const AWS: (&str, &str) = ("PUSH_ENDPOINT", "https://abc.execute-api.eu-central-1.amazonaws.com/live");
const LOCAL: (&str, &str) = ("PUSH_ENDPOINT", "http://127.0.0.1:3000/live");

fn check(values: &[(&str, &str)], expected: &Expect) {
    let mut env = env(values);
    Gateway::from_env(&mut env);
    expected
        .assert_eq(&env.finish().map_or_else(|problems| problems.to_string(), |()| "no problems".to_owned()));
}

#[test]
fn every_missing_or_wrong_variable_is_reported_at_once() {
    check(
        &[],
        &expect![[r#"
        cannot start:
          PUSH_ENDPOINT is missing: the API Gateway stage to push to, as https://{domain}/{stage} or http://127.0.0.1:3000/live
          AWS_REGION is missing: part of each signature; Lambda sets it
          AWS_ACCESS_KEY_ID is missing: signs calls to AWS; Lambda sets it
          AWS_SECRET_ACCESS_KEY is missing: signs calls to AWS; Lambda sets it"#]],
    );
    check(
        &[AWS],
        &expect![[r#"
        cannot start:
          AWS_REGION is missing: part of each signature; Lambda sets it
          AWS_ACCESS_KEY_ID is missing: signs calls to AWS; Lambda sets it
          AWS_SECRET_ACCESS_KEY is missing: signs calls to AWS; Lambda sets it"#]],
    );
    check(&[&[AWS], &KEYS[..]].concat(), &expect![["no problems"]]);
    check(
        &[&[("PUSH_ENDPOINT", "http://10.0.0.1/live")], &KEYS[..]].concat(),
        &expect![[r#"
        cannot start:
          PUSH_ENDPOINT must start with https://; http:// is allowed only for localhost, 127.x.x.x and [::1]"#]],
    );
    check(
        &[&[AWS, ("LAMBDA_ENDPOINT", "ftp://x")], &KEYS[..]].concat(),
        &expect![[r#"
        cannot start:
          LAMBDA_ENDPOINT must start with https://; http:// is allowed only for localhost, 127.x.x.x and [::1]"#]],
    );
}

#[test]
fn local_endpoints_need_no_credentials_but_reject_half_a_pair() {
    check(&[LOCAL], &expect![["no problems"]]);
    check(
        &[LOCAL, KEYS[1]],
        &expect![[r#"
        cannot start:
          AWS_SECRET_ACCESS_KEY is missing: signs calls to AWS; Lambda sets it"#]],
    );
    check(
        &[LOCAL, ("LAMBDA_ENDPOINT", "https://lambda.eu-central-1.amazonaws.com")],
        &expect![[r#"
        cannot start:
          AWS_REGION is missing: part of each signature; Lambda sets it
          AWS_ACCESS_KEY_ID is missing: signs calls to AWS; Lambda sets it
          AWS_SECRET_ACCESS_KEY is missing: signs calls to AWS; Lambda sets it"#]],
    );
}

#[test]
fn lambda_alone_requires_only_region_and_credentials() {
    let mut empty = env(&[]);
    Lambda::from_env(&mut empty);
    expect![[r#"
        cannot start:
          AWS_REGION is missing: part of each signature; Lambda sets it
          AWS_ACCESS_KEY_ID is missing: signs calls to AWS; Lambda sets it
          AWS_SECRET_ACCESS_KEY is missing: signs calls to AWS; Lambda sets it"#]]
    .assert_eq(&empty.finish().unwrap_err().to_string());
    let mut complete = env(&KEYS);
    Lambda::from_env(&mut complete);
    complete.finish().unwrap();
}
