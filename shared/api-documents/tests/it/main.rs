//! The files that the function `api-description` serves are those that this crate makes.

use expect_test::expect_file;
use serde_json::Value;

fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

/// `UPDATE_EXPECT=1 cargo test -p api-documents` writes the files anew.
#[test]
fn documents_are_up_to_date() {
    expect_file!["../../../../functions/api-description/openapi.json"]
        .assert_eq(&text(&api_documents::openapi()));
    expect_file!["../../../../functions/api-description/asyncapi.json"]
        .assert_eq(&text(&api_documents::asyncapi()));
}
