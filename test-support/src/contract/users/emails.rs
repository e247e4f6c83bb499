//! Cases of `Users` about e-mails that are the same.

use shared::user::{Email, Login, User};

use super::{Subject, taken_field};
use crate::contract::{Case, CaseData, Outcome, cases, expect_eq};

/// Every case about e-mails.
pub(super) fn emails() -> Vec<Case<Subject>> {
    cases![insert_names_a_taken_email_in_any_case, emails_are_compared_in_one_unicode_form]
}

async fn insert_names_a_taken_email_in_any_case(users: Subject, data: CaseData) -> Outcome {
    let first = data.user("ada", "Ada");
    users.insert(&first).await?;
    let email = Email::trusted(first.email.as_str().to_uppercase());
    expect_eq(taken_field(users.insert(&User { email, ..data.user("bob", "Bob") }).await), Some("email"))
}

async fn emails_are_compared_in_one_unicode_form(users: Subject, data: CaseData) -> Outcome {
    let email = |local: &str| Email::trusted(format!("{local}@{}.org", data.tag));
    let first = User { email: email("Straße\u{e9}"), ..data.user("ada", "Ada") };
    users.insert(&first).await?;
    for same in ["STRASSEe\u{301}", "ｓｔｒａｓｓｅÉ"] {
        let other = User { email: email(same), ..data.user("bob", "Bob") };
        expect_eq(taken_field(users.insert(&other).await), Some("email"))?;
        expect_eq(users.by_login(&Login::Email(email(same).key())).await?, Some(first.clone()))?;
    }
    Ok(())
}
