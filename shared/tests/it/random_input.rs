//! Parsers that meet foreign text, with seeded random input: no panic, and what they accept keeps its rules. Frames have
//! tests of their own beside the codec and in `ws-message`.

use serde_json::{Value, json};
use shared::auth::Origin;
use shared::conversation::ActivityCursor;
use shared::id::{ConversationId, MessageId, UserId};
use shared::page::{LARGEST_PAGE, PageSize};
use shared::realtime::client_event::{parse_last_seq, parse_last_seq_leniently};
use shared::search::{fold, highlight, matches, terms};
use test_support::random_frames::Random;

const INPUTS: usize = 5_000;

/// Parts with a meaning for one of the parsers, and characters that Unicode treats in a special way.
const PARTS: [&str; 32] = [
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "a",
    "B",
    "0",
    "9",
    "18446744073709551616",
    "-1",
    "~",
    ".",
    "_",
    "-",
    ":",
    "::",
    "/",
    ",",
    " ",
    "\t",
    "\0",
    "\"",
    "<b>",
    "&",
    "*",
    "$ne",
    "İ",
    "ı",
    "ß",
    "ﬁ",
    "e\u{301}",
    "\u{301}",
    "한",
    "\u{202e}",
    "😀",
];

/// Text of up to twenty parts.
fn text(random: &mut Random) -> String {
    (0..random.below(21)).map(|_| PARTS[random.below(PARTS.len())]).collect()
}

#[test]
fn accepted_ids_are_the_text_itself_and_fit_into_keys() {
    let mut random = Random(1);
    let mut accepted = 0;
    for _ in 0..INPUTS {
        let text = text(&mut random);
        let ids = [
            UserId::parse(&text).map(|id| id.to_string()),
            MessageId::parse(&text).map(|id| id.to_string()),
            ConversationId::parse(&text).map(|id| id.to_string()),
        ];
        for id in ids.into_iter().flatten() {
            accepted += 1;
            assert_eq!(id, text);
            assert!(!id.is_empty() && id.len() <= 64, "{id:?}");
            assert!(
                !id.contains(|c: char| c.is_whitespace() || c.is_control() || "{}$/".contains(c)),
                "{id:?}"
            );
        }
    }
    assert!(accepted > 100, "{accepted} accepted");
}

#[test]
fn accepted_cursors_and_page_sizes_are_in_range() {
    let mut random = Random(2);
    for _ in 0..INPUTS {
        let text = text(&mut random);
        if let Ok(cursor) = ActivityCursor::parse(&text) {
            assert_eq!(ActivityCursor::parse(&cursor.text()).unwrap(), cursor, "{text:?}");
        }
        for value in [json!(text), json!(random.below(300)), json!([text]), Value::Null] {
            if let Ok(size) = PageSize::parse(&value) {
                assert!((1..=LARGEST_PAGE).contains(&size.get()), "{value}");
            }
        }
    }
}

#[test]
fn folding_is_stable_and_search_finds_what_it_marks() {
    let mut random = Random(3);
    for _ in 0..INPUTS {
        let (content, query) = (text(&mut random), text(&mut random));
        assert_eq!(fold(&fold(&content)), fold(&content), "{content:?}");
        let terms = terms(&query);
        let html = highlight(&content, &terms);
        let marks = html.matches("<mark>").count();
        assert_eq!(marks, html.matches("</mark>").count(), "{content:?} {query:?}");
        assert!(!html.replace("<mark>", "").replace("</mark>", "").contains(['<', '>', '"']), "{html}");
        if matches(&content, &terms) && !terms.is_empty() {
            assert!(marks > 0, "{content:?} matches {query:?} without a mark");
        }
    }
}

#[test]
fn lenient_last_seq_is_the_readable_part_of_what_was_sent() {
    let mut random = Random(4);
    for _ in 0..INPUTS {
        let entries = (0..random.below(4)).map(|_| {
            let value =
                [json!(random.below(9)), json!(text(&mut random)), json!(-1), json!(1.5), Value::Null];
            (text(&mut random), value[random.below(value.len())].clone())
        });
        let value = Value::Object(entries.collect());
        let lenient = parse_last_seq_leniently(&value);
        assert!(lenient.len() <= value.as_object().unwrap().len());
        if let Ok(strict) = parse_last_seq(&value) {
            assert_eq!(strict, lenient, "{value}");
        }
        assert!(parse_last_seq_leniently(&json!(text(&mut random))).is_empty());
    }
}

#[test]
fn address_keys_are_short_and_fit_into_keys() {
    let mut random = Random(5);
    for _ in 0..INPUTS {
        let (source_ip, forwarded_for) = (text(&mut random), text(&mut random));
        let origin = Origin { source_ip: &source_ip, forwarded_for: Some(&forwarded_for) };
        let key = origin.limit_key(random.below(5));
        assert!(key.chars().count() <= 64, "{key:?}");
        assert!(!key.contains(|c: char| c.is_whitespace() || c.is_control()), "{key:?}");
    }
}
