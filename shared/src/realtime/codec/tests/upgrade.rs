//! The dialect for each form of an upgrade request's query.

use expect_test::expect;

use crate::realtime::codec::upgrade::dialect;

#[test]
fn query_selects_the_dialect_or_the_upgrade_is_refused() {
    let queries = [
        (None, None),
        (Some("4"), Some("websocket")),
        (None, Some("websocket")),
        (Some("abc"), Some("websocket")),
        (Some("3"), Some("websocket")),
        (Some("4"), None),
        (Some("4"), Some("abc")),
        (Some("4"), Some("polling")),
    ];
    let answer = |(eio, transport)| match dialect(eio, transport) {
        Ok(dialect) => format!("{eio:?} {transport:?} -> {dialect:?}\n"),
        Err(error) => format!("{eio:?} {transport:?} -> 400 {}\n", error.body()),
    };
    expect![[r#"
        None None -> Json
        Some("4") Some("websocket") -> SocketIo
        None Some("websocket") -> 400 {"code":5,"message":"Unsupported protocol version"}
        Some("abc") Some("websocket") -> 400 {"code":5,"message":"Unsupported protocol version"}
        Some("3") Some("websocket") -> 400 {"code":5,"message":"Unsupported protocol version"}
        Some("4") None -> 400 {"code":0,"message":"Transport unknown"}
        Some("4") Some("abc") -> 400 {"code":0,"message":"Transport unknown"}
        Some("4") Some("polling") -> 400 {"code":0,"message":"Transport unknown"}
    "#]]
    .assert_eq(&queries.map(answer).concat());
}
