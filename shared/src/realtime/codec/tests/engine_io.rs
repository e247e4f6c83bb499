//! Engine.IO packets.

use std::time::Duration;

use expect_test::expect;

use super::table;
use crate::realtime::codec::engine_io::{OpenPacket, PING, Packet, message, parse};
use crate::realtime::ping::PingTimers;

#[test]
fn packet_parses_by_its_first_character() {
    let frames = [
        "3",
        "3probe",
        "4",
        "4hello",
        "4abc",
        "40",
        "1",
        "1x",
        "5",
        "6",
        "bAQIDBA==",
        "b",
        "4äöü€😀",
        "43999[]",
    ];
    expect![[r#"
        3 -> Pong
        3probe -> Pong
        4 -> Message("")
        4hello -> Message("hello")
        4abc -> Message("abc")
        40 -> Message("0")
        1 -> Close
        1x -> Close
        5 -> Upgrade
        6 -> Noop
        bAQIDBA== -> Binary("AQIDBA==")
        b -> Binary("")
        4äöü€😀 -> Message("äöü€😀")
        43999[] -> Message("3999[]")
    "#]]
    .assert_eq(&table(&frames, parse));
}

#[test]
fn invalid_packet_is_rejected() {
    let frames = [
        "",
        "abc",
        "OK",
        "0",
        "0abc",
        r#"0{"sid":"x"}"#,
        "2",
        "2hello",
        "2probe",
        "7",
        " 3",
        "😀",
        r#"{"message":"Internal server error","connectionId":"c","requestId":"r"}"#,
    ];
    expect![[r#"
         -> Error: unknown packet type
        abc -> Error: unknown packet type
        OK -> Error: unknown packet type
        0 -> Error: packet type that only the server sends
        0abc -> Error: packet type that only the server sends
        0{"sid":"x"} -> Error: packet type that only the server sends
        2 -> Error: ping from a client; only the server sends pings
        2hello -> Error: ping from a client; only the server sends pings
        2probe -> Error: ping from a client; only the server sends pings
        7 -> Error: unknown packet type
         3 -> Error: unknown packet type
        😀 -> Error: unknown packet type
        {"message":"Internal server error","connectionId":"c","requestId":"r"} -> Error: unknown packet type
    "#]]
    .assert_eq(&table(&frames, parse));
}

#[test]
fn open_packet_has_all_five_keys() {
    let timers = PingTimers::new(Duration::from_secs(300), Duration::from_secs(120)).unwrap();
    let open = OpenPacket::new("L0SM9cOFvHcCIhw=", timers, 32768).encode();
    expect![[r#"0{"sid":"L0SM9cOFvHcCIhw=","upgrades":[],"pingInterval":300000,"pingTimeout":120000,"maxPayload":32768}"#]].assert_eq(&open);
}

#[test]
fn ping_timers_are_rejected_when_zero_or_together_over_31_bits() {
    let cases = [
        (300_000, 120_000),
        (300, 200),
        (1, 1),
        ((1 << 31) - 2, 1),
        ((1 << 31) - 1, 1),
        (u64::MAX, u64::MAX),
        (u64::from(u32::MAX), 1),
        (0, 1),
        (1, 0),
    ];
    let check = |(interval, timeout)| {
        let timers = PingTimers::new(Duration::from_millis(interval), Duration::from_millis(timeout));
        let accepted = timers.map(|timers| (timers.interval(), timers.timeout()));
        format!("{interval} + {timeout} -> {accepted:?}\n")
    };
    expect![[r#"
        300000 + 120000 -> Ok((300s, 120s))
        300 + 200 -> Ok((300ms, 200ms))
        1 + 1 -> Ok((1ms, 1ms))
        2147483646 + 1 -> Ok((2147483.646s, 1ms))
        2147483647 + 1 -> Err(PingTimersError)
        18446744073709551615 + 18446744073709551615 -> Err(PingTimersError)
        4294967295 + 1 -> Err(PingTimersError)
        0 + 1 -> Err(PingTimersError)
        1 + 0 -> Err(PingTimersError)
    "#]]
    .assert_eq(&cases.map(check).concat());
}

#[test]
fn message_parses_back_to_its_data() {
    assert_eq!(PING, "2");
    for data in ["", "hello", "0{}", "äöü€😀", "\0\n"] {
        assert_eq!(parse(&message(data)), Ok(Packet::Message(data)));
    }
}
