//! `auth-login` on its own, over an embedded store.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use std::time::Duration;

use serde_json::json;
use shared::auth::{Gate, Rates};
use shared::error::Error;
use shared::ports::{Sessions, Users as _};
use test_support::faulty_store::{CallFailure, FaultyStore};
use test_support::fixture::{FunctionFixture, HttpFunction, NOW, Scenario, TestRequest};
use test_support::http_function_tests;
use test_support::person::Person;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(auth_login::handle(fixture.gate(), &fixture.store, &fixture.passwords, request))
    },
    request: |_| {
        let form = json!({ "username": "ADA", "password": Person::PASSWORD });
        TestRequest::new("POST /api/auth/login").body(form)
    },
    status: 200,
    expected: |scenario| ("/user/id", json!(scenario.ada.id)),
};

http_function_tests!(open: FUNCTION);

#[tokio::test]
async fn login_stores_the_time_of_the_request_as_last_seen() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let now = NOW + Duration::from_secs(600);
    FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario).at(now)).await.unwrap();
    let user = fixture.store.by_ids(&[scenario.ada.user_id()]).await.unwrap().remove(0);
    assert_eq!((user.created_at, user.last_seen_at), (NOW, now));
}

#[tokio::test]
async fn login_pushes_nothing() {
    FUNCTION.assert_pushes(&[]).await;
}

/// A login of a name from an address.
fn attempt(name: &str, password: &str, address: &str) -> TestRequest {
    let form = json!({ "email": name, "password": password });
    TestRequest::new("POST /api/auth/login").body(form).from(address)
}

/// Tries a wrong password `times` times; the last error's code.
async fn fail(fixture: &FunctionFixture, name: &str, address: &str, times: usize) -> &'static str {
    let mut code = "";
    for _ in 0..times {
        code = FUNCTION.call(fixture, &attempt(name, "wrong password", address)).await.unwrap_err().code();
    }
    code
}

/// Limits of 2 failures with one name from one address, 10 from one address, and 10 with one name from all addresses.
async fn limited() -> (FunctionFixture, Scenario) {
    let mut fixture = FunctionFixture::new();
    fixture.rates = Rates::scaled(0.1);
    let scenario = Scenario::new(&fixture).await;
    (fixture, scenario)
}

#[tokio::test]
async fn wrong_logins_from_one_address_do_not_lock_the_account_for_others() {
    let (fixture, _) = limited().await;
    assert_eq!(fail(&fixture, "ada", "198.51.100.1", 3).await, "RATE_LIMITED");
    let right = attempt("ada", Person::PASSWORD, "198.51.100.1");
    assert_eq!(FUNCTION.call(&fixture, &right).await.unwrap_err().code(), "RATE_LIMITED");
    FUNCTION.call(&fixture, &attempt("ada", Person::PASSWORD, "192.0.2.7")).await.unwrap();
}

#[tokio::test]
async fn right_logins_are_not_counted() {
    let (fixture, _) = limited().await;
    for _ in 0..12 {
        FUNCTION.call(&fixture, &attempt("ada", Person::PASSWORD, "192.0.2.7")).await.unwrap();
    }
    assert_eq!(fail(&fixture, "ada", "192.0.2.7", 2).await, "INVALID_CREDENTIALS");
    assert_eq!(fail(&fixture, "ada", "192.0.2.7", 1).await, "RATE_LIMITED");
}

/// A stranger uses up the limit of a username. The e-mail of the same account then answers as one without an account.
#[tokio::test]
async fn limits_do_not_show_which_email_belongs_to_a_username() {
    for spread in [false, true] {
        let (fixture, _) = limited().await;
        // From one address, and then from so many that the attempts are slowed.
        let addresses = if spread { 6 } else { 1 };
        for n in 0..addresses {
            fail(&fixture, "ada", &format!("198.51.100.{n}"), 2).await;
        }
        let asked = if spread { "203.0.113.9" } else { "198.51.100.0" };
        if spread {
            fail(&fixture, "ada", "203.0.113.8", 1).await;
        }
        assert_eq!(fail(&fixture, "ada", asked, 1).await, "RATE_LIMITED", "{spread}");
        for name in ["ada@example.com", "unknown@example.com"] {
            assert_eq!(fail(&fixture, name, asked, 1).await, "INVALID_CREDENTIALS", "{name} {spread}");
        }
    }
}

/// Failures from many addresses slow the account to one attempt in ten seconds; they do not lock it.
#[tokio::test]
async fn guesses_from_many_addresses_slow_strangers_and_not_the_owner() {
    let (fixture, _) = limited().await;
    FUNCTION.call(&fixture, &attempt("ada", Person::PASSWORD, "192.0.2.7")).await.unwrap();
    for n in 0..6 {
        fail(&fixture, "ada", &format!("198.51.100.{n}"), 2).await;
    }
    // A login from the owner's known address passes each time.
    for _ in 0..3 {
        FUNCTION.call(&fixture, &attempt("ada", Person::PASSWORD, "192.0.2.7")).await.unwrap();
    }
    let mut waits = Vec::new();
    let mut passed = 0;
    for second in 0..40 {
        let now = NOW + Duration::from_secs(second);
        let request = attempt("ada", "wrong password", &format!("203.0.113.{second}")).at(now);
        match FUNCTION.call(&fixture, &request).await.unwrap_err() {
            Error::RateLimited(limited) => waits.push(limited.retry_after_secs),
            refused => {
                assert_eq!(refused.code(), "INVALID_CREDENTIALS");
                passed += 1;
            }
        }
    }
    assert!((3..=5).contains(&passed), "{passed} guesses in 40 s");
    assert!(waits.iter().all(|wait| *wait <= 10), "{waits:?}");
    // The owner from a new address gets in after such a wait.
    let later = NOW + Duration::from_secs(50);
    FUNCTION.call(&fixture, &attempt("ada", Person::PASSWORD, "203.0.113.200").at(later)).await.unwrap();
}

#[tokio::test]
async fn login_succeeds_although_the_user_cannot_be_marked_as_seen() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let users = FaultyStore::new(&fixture.store).failing("mark_seen", 1, CallFailure::Unreachable);
    let request = fixture.request(&(FUNCTION.request)(&scenario));
    auth_login::handle(fixture.gate(), &users, &fixture.passwords, request).await.unwrap();
}

/// The account is deleted after its password was checked and before the session is open.
#[tokio::test]
async fn login_during_the_deletion_of_the_account_leaves_no_session() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let id = scenario.ada.user_id();
    let deletion = async {
        fixture.store.delete_account(&id, NOW).await.unwrap();
        fixture.store.end_all(&id, None).await.unwrap();
    };
    let sessions = FaultyStore::new(&fixture.store).before("open_session", Box::pin(deletion));
    let gate = Gate { sessions: &sessions, ..fixture.gate() };
    let request = fixture.request(&(FUNCTION.request)(&scenario));
    let refused = auth_login::handle(gate, &fixture.store, &fixture.passwords, request).await.unwrap_err();
    assert_eq!(refused.code(), "INVALID_CREDENTIALS");
    assert_eq!(Sessions::list(&fixture.store, &id, NOW).await.unwrap(), []);
}
