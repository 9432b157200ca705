//! Engine.IO requests and packets that no honest client sends.

use super::{Target, play};
use crate::harness::http::Connection;
use crate::harness::polling::Polling;

#[tokio::test]
async fn each_row_of_the_list_of_engine_io_has_its_answer() {
    let rows = play(include_str!("engine_io.txt"), "0").await;
    assert!(rows >= 40, "{rows} rows");
}

/// Packets of one byte as many as a payload of 1 MB holds (CVE-2020-36048, CVE-2020-36049).
#[tokio::test]
async fn a_payload_of_half_a_million_packets_is_refused_at_once() {
    let mut target = Target::start("0").await;
    for (name, payload) in [
        ("pongs", "3\u{1e}".repeat(500_000)),
        ("messages", "4\u{1e}".repeat(500_000)),
        ("binary messages", "b\u{1e}".repeat(500_000)),
        ("separators", "\u{1e}".repeat(1_000_000)),
        ("separators behind a packet", format!("3{}", "\u{1e}".repeat(999_999))),
        (
            "packets behind one that is 900,000 bytes long",
            format!("4{}{}", "x".repeat(900_000), "\u{1e}3".repeat(49_999)),
        ),
    ] {
        let (mut session, _) = Polling::open(target.ports.consumer, "").await.ok().unwrap();
        let before = target.cpu_ticks();
        let answer = session.post(payload).await;
        let spent = target.cpu_ticks() - before;
        assert_eq!((answer.status, answer.body.as_str()), (400, r#"{"code":3,"message":"Bad request"}"#), "{name}");
        assert!(spent <= CPU_TICKS_MAX, "{name} cost {spent} ticks");
        assert_eq!(session.poll().await.body, r#"{"code":1,"message":"Session ID unknown"}"#, "{name}");
        target.is_unharmed(name).await;
    }
    target.end_as_before().await;
}

/// Of 10 ms. What it costs is 1 MB that is read and searched once, by a build without optimization.
const CPU_TICKS_MAX: u64 = 20;

/// Bytes that no text holds, so they stand in no row.
#[tokio::test]
async fn a_payload_that_is_no_utf_8_is_refused() {
    let mut target = Target::start("0").await;
    for (name, payload) in [
        ("no UTF-8", b"\xff\xfe".as_slice()),
        ("half a letter", b"4\xc3"),
        ("half a letter before a separator", b"4\xc3\x1e3"),
        ("a surrogate", b"42[\"\xed\xa0\x80\"]"),
        ("an overlong slash", b"42[\"\xc0\xaf\"]"),
        ("a message of version 3 in binary", b"\x00\x02\xff40"),
    ] {
        let (mut session, _) = Polling::open(target.ports.consumer, "").await.ok().unwrap();
        let answer = session.post(payload).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, r#"{"code":3,"message":"Bad request"}"#), "{name}");
        assert_eq!(session.poll().await.body, r#"{"code":1,"message":"Session ID unknown"}"#, "{name}");
        target.is_unharmed(name).await;
    }
    target.end_as_before().await;
}

/// Who sends chunks tells no length in advance, and may make a packet of as many pieces as it has bytes (CVE-2026-48779).
#[tokio::test]
async fn a_payload_in_chunks_is_bounded_by_its_length_and_costs_no_more_than_that() {
    let mut target = Target::start("0").await;
    let tiny = format!("1\r\n4\r\n{}0\r\n\r\n", "1\r\nx\r\n".repeat(399_999));
    let whole = format!("f4241\r\n{}\r\n0\r\n\r\n", "4".repeat(1_000_001));
    for (name, body, status) in [("400,000 chunks", tiny, 200), ("a megabyte and a byte", whole, 413)] {
        let (mut session, _) = Polling::open(target.ports.consumer, "").await.ok().unwrap();
        let mut connection = Connection::open(target.ports.consumer).await;
        let head = format!("POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", session.path());
        connection.send_what_is_taken([head, body].concat()).await;
        assert_eq!(connection.answer(false).await.map(|answer| answer.status), Some(status), "{name}");
        assert_eq!(session.poll().await.body, r#"{"code":1,"message":"Session ID unknown"}"#, "{name}");
        target.is_unharmed(name).await;
    }
    let grown = target.peak_kib() - target.resident_kib;
    assert!(grown < 8 << 10, "{grown} KiB for messages of 400 and 1,000 KB");
    target.end_as_before().await;
}
