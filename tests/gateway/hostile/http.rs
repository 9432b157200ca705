//! HTTP that is malformed, ambiguous or huge, on both ports.

use super::{is_unharmed, with_witness};
use crate::harness::Gateway;
use crate::harness::http::Connection;
use Outcome::{Closed, Kept, Refused};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// An answer, and the connection is closed. If it is closed while the client still writes, the answer may be lost.
    Refused(u16),
    /// An answer, and the next request on the connection is served.
    Kept(u16),
    /// No answer.
    Closed,
}

/// What would be published if a request were misread.
const BODY: &str = r#"{"target_id":"room-1","x":1}"#;
const BODY_CHUNKED: &str = "1c\r\n{\"target_id\":\"room-1\",\"x\":1}\r\n0\r\n\r\n";

fn post(headers: &str, body: &str) -> String {
    format!("POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{body}")
}

fn get(headers: &str) -> String {
    format!("GET /status HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n")
}

/// Sends the request to one port; for the consumer's, its path is that of Engine.IO.
async fn meets(gateway: &Gateway, is_producer: bool, request: &[u8], expected: Outcome) {
    let shown = String::from_utf8_lossy(&request[..request.len().min(200)]).into_owned();
    let addr = if is_producer { gateway.producer() } else { gateway.consumer() };
    let mut connection = Connection::open(addr).await;
    connection.send_what_is_taken(request).await;
    let answer = connection.answer(request.starts_with(b"HEAD")).await.map(|answer| answer.status);
    match expected {
        Refused(status) if request.len() > 10_000 => {
            assert!(answer.is_none_or(|it| it == status), "{answer:?}: {shown}");
        }
        Refused(status) | Kept(status) => assert_eq!(answer, Some(status), "{shown}"),
        Closed => assert_eq!(answer, None, "{shown}"),
    }
    if let Kept(_) = expected {
        connection.send("GET /favicon.ico HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(connection.answer(false).await.map(|answer| answer.status), Some(404), "{shown}");
    } else {
        assert!(connection.closed().await, "{shown}");
    }
}

/// Sends the requests to both ports; what they expect of the producer, they expect of the consumer, unless told.
async fn all_meet(gateway: &Gateway, cases: Vec<(String, Outcome)>) {
    for (request, expected) in cases {
        meets(gateway, true, request.as_bytes(), expected).await;
        let request = request.replace("/publish", "/socket.io/").replace("/status", "/socket.io/");
        let expected = match expected {
            Kept(200 | 415) => Kept(400),
            Refused(200 | 413) => Refused(400),
            // Express' page on either port, or the engine's word for a path of its own.
            Kept(404) if request.contains(" /socket.io/") => Kept(400),
            other => other,
        };
        meets(gateway, false, request.as_bytes(), expected).await;
    }
}

#[tokio::test]
async fn lengths_that_are_ambiguous_are_refused() {
    let (gateway, witness) = with_witness().await;
    let mut cases: Vec<_> = ["28, 28", "28,29", "+28", "-28", "0x1c", "", "2 8", "18446744073709551616"]
        .map(|length| (post(&format!("Content-Length: {length}"), BODY), Refused(400)))
        .into();
    cases.push((post("Content-Length: 28\r\nContent-Length: 29", BODY), Refused(400)));
    cases.push((post("Content-Length: 18446744073709551615", BODY), Refused(431)));
    cases.push((post("Content-Length: 9223372036854775808", BODY), Refused(413)));
    cases.push((post("Content-Length : 28", BODY), Refused(400)));
    for coding in ["xchunked", "identity", "chunked, gzip", "chunked;q=1", "\"chunked\""] {
        cases.push((post(&format!("Transfer-Encoding: {coding}"), BODY_CHUNKED), Refused(400)));
    }
    let old = format!("POST /publish HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n{BODY_CHUNKED}");
    cases.push((old, Refused(400)));
    all_meet(&gateway, cases).await;
    assert_eq!(gateway.stats().publishes.get(), 0);
    is_unharmed(&gateway, witness).await;
}

/// RFC 9112 (6.3): chunks count, and the connection is closed, so that what follows cannot be read in two ways.
#[tokio::test]
async fn a_length_beside_chunks_smuggles_nothing() {
    let (gateway, witness) = with_witness().await;
    let smuggled = post("Content-Length: 28", BODY);
    for headers in
        ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4"]
    {
        meets(&gateway, true, post(headers, &format!("0\r\n\r\n{smuggled}")).as_bytes(), Refused(400)).await;
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn chunks_that_are_malformed_or_endless_are_refused() {
    let (gateway, witness) = with_witness().await;
    let big = "x".repeat(1 << 20);
    let bodies = [
        format!("fffffffffffffffff\r\n{BODY}\r\n0\r\n\r\n"),
        format!("0x1c\r\n{BODY}\r\n0\r\n\r\n"),
        format!("-1c\r\n{BODY}\r\n0\r\n\r\n"),
        format!("1c\n{BODY}\r\n0\r\n\r\n"),
        format!("1b\r\n{BODY}\r\n0\r\n\r\n"),
        format!("1c;{big}\r\n{BODY}\r\n0\r\n\r\n"),
        format!("1c\r\n{BODY}\r\n0\r\nno colon\r\n\r\n"),
        format!("1c\r\n{BODY}\r\n0\r\nX: {big}\r\n\r\n"),
        format!("1c\r\n{BODY}\r\n0\r\n{}\r\n", "X: y\r\n".repeat(20_000)),
    ];
    let cases = bodies.map(|body| (post("Transfer-Encoding: chunked", &body), Refused(400)));
    all_meet(&gateway, cases.into()).await;
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn heads_that_are_malformed_are_400() {
    let (gateway, witness) = with_witness().await;
    let mut cases: Vec<_> = ["X: a\r\n b", "X: a\0b", "X\0: a", "X a", ": a", "X : a", "X\u{e9}: a", "X: a\rY: b"]
        .map(|headers| (get(headers), Refused(400)))
        .into();
    for request in [
        "GET /status HTTP/1.1\r\n Host: a\r\n\r\n",
        "GET /status HTTP/1.1\rHost: a\r\r",
        "GET /sta\0tus HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /status HTTP/1.2\r\nHost: a\r\n\r\n",
        "GET /status HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET /status\r\n",
        "M@THOD /status HTTP/1.1\r\nHost: a\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}",
        "GET  /status HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        cases.push((request.to_owned(), Refused(400)));
    }
    cases.push(("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), Closed));
    all_meet(&gateway, cases).await;
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn heads_that_are_huge_are_431() {
    let (gateway, witness) = with_witness().await;
    let headers = |count: usize| (0..count).map(|index| format!("x{index}: y\r\n")).collect::<String>();
    let cases = [
        (get(headers(97).trim_end()), Kept(200)),
        (get(headers(101).trim_end()), Refused(431)),
        (get(headers(20_000).trim_end()), Refused(431)),
        (get(&format!("X: {}", "x".repeat(1 << 20))), Refused(431)),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(1 << 20)), Refused(431)),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(15_000)), Kept(404)),
    ];
    all_meet(&gateway, cases.into()).await;
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn odd_targets_and_verbs_are_404_and_do_nothing() {
    let (gateway, witness) = with_witness().await;
    let cases = [
        "OPTIONS *",
        "GET *",
        "GET status",
        "GET /../status/x",
        "GET /%73tatus",
        "GET /publish/../nothing",
        "CONNECT a:443",
        "TRACE /status",
        "get /status",
        "LONGVERBLONGVERBLONGVERB /status",
        "POST http://evil.example/nothing",
    ];
    let request = |line: &str| format!("{line} HTTP/1.1\r\nHost: a\r\nX-Secret: 1\r\n\r\n");
    all_meet(&gateway, cases.iter().map(|line| (request(line), Kept(404))).collect()).await;
    let answer = gateway.ask_producer("TRACE /status\nX-Secret: hidden", "").await;
    assert!(!answer.body.contains("hidden"), "nothing is echoed: {}", answer.body);
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn what_is_unusual_and_allowed_is_served() {
    let (gateway, witness) = with_witness().await;
    let cases = [
        "GET http://other.example/status HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "\r\n\r\nGET /status HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA"),
        get("Connection: Upgrade\r\nUpgrade: websocket, h2c"),
        get("Expect: 200-ok"),
        get("Range: bytes=0-0"),
    ];
    all_meet(&gateway, cases.into_iter().map(|request| (request, Kept(200))).collect()).await;
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn bytes_over_127_in_any_header_end_nothing() {
    let (gateway, witness) = with_witness().await;
    let names = [
        "Origin",
        "Host",
        "Connection",
        "Upgrade",
        "Content-Type",
        "Content-Encoding",
        "X-Forwarded-For",
        "Forwarded",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "If-None-Match",
        "Expect",
        "Access-Control-Request-Headers",
        "Authorization",
        "Cookie",
    ];
    for name in names {
        for value in [b"\x80\xff".as_slice(), b"constructor", b"__proto__", &[b' '; 8_000], &[b','; 8_000]] {
            for (addr, line) in [
                (gateway.producer(), "GET /status"),
                (gateway.producer(), "POST /publish"),
                (gateway.consumer(), "GET /socket.io/?EIO=4&transport=websocket"),
                (gateway.consumer(), "OPTIONS /socket.io/"),
            ] {
                let mut connection = Connection::open(addr).await;
                let head = format!("{line} HTTP/1.1\r\nContent-Length: 0\r\n{name}: ");
                connection.send_what_is_taken([head.as_bytes(), value, b"\r\n\r\n"].concat()).await;
                let status = connection.answer(false).await.expect("an answer").status;
                assert!([200, 204, 400, 403, 415].contains(&status), "{status} {line} {name}");
            }
        }
    }
    assert_eq!(gateway.stats().sessions.get(), 1, "the witness alone");
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn requests_that_break_off_anywhere_leave_nothing() {
    let (gateway, witness) = with_witness().await;
    let publish = post("Content-Length: 28", BODY);
    let polling = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n";
    for (addr, request) in [(gateway.producer(), publish.as_str()), (gateway.consumer(), &polling[..polling.len() - 1])]
    {
        for length in 0..request.len() {
            let mut connection = Connection::open(addr).await;
            connection.send(&request[..length]).await;
        }
    }
    assert_eq!(gateway.stats().publishes.get(), 0);
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn a_thousand_requests_at_once_on_one_connection_are_all_answered() {
    let (gateway, witness) = with_witness().await;
    for addr in [gateway.producer(), gateway.consumer()] {
        let mut connection = Connection::open(addr).await;
        connection.send("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000)).await;
        for number in 0..1_000 {
            assert_eq!(connection.answer(false).await.map(|answer| answer.status), Some(404), "{number}");
        }
    }
    is_unharmed(&gateway, witness).await;
}
