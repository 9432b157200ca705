//! Publish bodies and targets that are wrong in themselves, and those that look wrong and are data; and what the consumer's
//! port makes of bodies.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{BODY, Case, ENGINE_BAD_REQUEST, Expected, HEARD, PACKET, Port, SESSION};

const JSON: &str = "Content-Type: application/json";

/// Bodies in JSON's name that are 400.
const REFUSED: [(&str, &[u8]); 42] = [
    ("an empty body", b""),
    ("blanks", b" \r\n\t"),
    ("an array", br#"[{"target_id":"room-1","x":"hunter2"}]"#),
    ("an empty array", b"[]"),
    ("null", b"null"),
    ("a number", b"5"),
    ("a string", br#""hunter2""#),
    ("an object that does not end", br#"{"target_id":"room-1","x":"hunter2""#),
    ("an object and more", br#"{"target_id":"room-1"} {"target_id":"room-1"}"#),
    ("a comma at the end", br#"{"target_id":"room-1",}"#),
    ("single quotes", b"{'target_id':'room-1'}"),
    ("a comment", br#"{"target_id":"room-1"/*hunter2*/}"#),
    ("NaN", br#"{"target_id":"room-1","x":NaN}"#),
    ("Infinity", br#"{"target_id":"room-1","x":-Infinity}"#),
    ("a leading zero", br#"{"target_id":"room-1","x":01}"#),
    ("a line feed in a string", b"{\"target_id\":\"room-1\",\"x\":\"\n\"}"),
    ("NUL in a string", b"{\"target_id\":\"room-1\",\"x\":\"\0\"}"),
    ("a byte that is no UTF-8", b"{\"target_id\":\"room-1\",\"x\":\"\xff\"}"),
    ("UTF-8 that is cut off", b"{\"target_id\":\"room-1\",\"x\":\"\xe2\x82\"}"),
    ("UTF-8 that is longer than it must be", b"{\"target_id\":\"room-1\",\"x\":\"\xc0\xaf\"}"),
    ("a surrogate in UTF-8", b"{\"target_id\":\"room-1\",\"x\":\"\xed\xa0\x80\"}"),
    ("UTF-16 with its mark", b"\xff\xfe{\0}\0"),
    ("UTF-32 with its mark", b"\0\0\xfe\xff\0\0\0{\0\0\0}"),
    ("no target", br#"{"x":"hunter2"}"#),
    ("a target in another case", br#"{"Target_Id":"room-1"}"#),
    ("a target of null", br#"{"target_id":null}"#),
    ("a target of a number", br#"{"target_id":5}"#),
    ("a target of true", br#"{"target_id":true}"#),
    ("a target in an array", br#"{"target_id":["room-1"]}"#),
    ("a target in an object", br#"{"target_id":{"room-1":"room-1"}}"#),
    ("an empty target", br#"{"target_id":""}"#),
    ("a target with NUL", br#"{"target_id":"room-1\u0000"}"#),
    ("a target with a line feed", br#"{"target_id":"room-1\n"}"#),
    ("a target of half a surrogate pair", br#"{"target_id":"room-1\ud800"}"#),
    ("a good target and then one of null", br#"{"target_id":"room-1","target_id":null}"#),
    ("an escaped key with a target of a number", br#"{"target_id":"room-1","target\u005fid":5}"#),
    ("a target of connect", br#"{"target_id":"connect"}"#),
    ("a target of connect, escaped", br#"{"target_id":"\u0063onnect"}"#),
    ("a target of disconnecting", br#"{"target_id":"disconnecting"}"#),
    ("a target of newListener", br#"{"target_id":"newListener"}"#),
    ("a target of roomcast's own", br#"{"target_id":"roomcast:gap"}"#),
    ("a prototype for a target", br#"{"__proto__":{"target_id":"room-1"}}"#),
];

/// Bodies that are data, however they look, and what is heard of them.
const SERVED: [(&str, &str, &str); 14] = [
    ("a number beyond a double's", r#"{"target_id":"room-1","x":1e400}"#, r#"{"x":1e400}"#),
    ("an integer beyond a double's", r#"{"x":9007199254740993,"target_id":"room-1"}"#, r#"{"x":9007199254740993}"#),
    ("__proto__", r#"{"target_id":"room-1","__proto__":{"x":1}}"#, r#"{"__proto__":{"x":1}}"#),
    ("constructor", r#"{"target_id":"room-1","constructor":{"prototype":1}}"#, r#"{"constructor":{"prototype":1}}"#),
    ("toJSON", r#"{"target_id":"room-1","toJSON":"x"}"#, r#"{"toJSON":"x"}"#),
    (
        "_placeholder",
        r#"{"target_id":"room-1","x":{"_placeholder":true,"num":0}}"#,
        r#"{"x":{"_placeholder":true,"num":0}}"#,
    ),
    ("keys that stand twice", r#"{"a":1,"target_id":"room-1","a":2}"#, r#"{"a":1,"a":2}"#),
    ("the target's key twice", r#"{"target_id":"room-2","target_id":"room-1"}"#, "{}"),
    ("the target's key escaped", r#"{"target\u005fid":"room-1","a":1}"#, r#"{"a":1}"#),
    ("the target's value escaped", r#"{"target_id":"\u0072oom-1","a":1}"#, r#"{"a":1}"#),
    ("half a surrogate pair in data", r#"{"target_id":"room-1","x":"\ud800"}"#, r#"{"x":"\ud800"}"#),
    ("a separator of packets, escaped", r#"{"target_id":"room-1","x":"\u001e"}"#, r#"{"x":"\u001e"}"#),
    ("a mark of UTF-8", "\u{feff}{\"target_id\":\"room-1\"}", "{}"),
    ("a line separator", "{\"target_id\":\"room-1\",\"x\":\"\u{2028}\"}", "{\"x\":\"\u{2028}\"}"),
];

/// Header lines with which even a good body is 415.
const UNSUPPORTED: [(&str, &str); 14] = [
    ("no content type", "X: y"),
    ("an empty content type", "Content-Type:"),
    ("text", "Content-Type: text/plain"),
    ("a form", "Content-Type: application/x-www-form-urlencoded"),
    ("a type that only begins like JSON", "Content-Type: application/jsonp"),
    ("the content type twice", "Content-Type: application/json\r\nContent-Type: application/json"),
    ("two content types", "Content-Type: application/json\r\nContent-Type: text/plain"),
    ("a list of content types", "Content-Type: application/json, application/json"),
    ("a content type that is no ASCII", "Content-Type: application/json\u{e9}"),
    ("utf-16", "Content-Type: application/json; charset=utf-16"),
    ("utf-32", "Content-Type: application/json; charset=utf-32"),
    ("utf-7", "Content-Type: application/json; charset=utf-8; charset=utf-7"),
    ("brotli", "Content-Type: application/json\r\nContent-Encoding: br"),
    ("gzip twice", "Content-Type: application/json\r\nContent-Encoding: gzip, gzip"),
];

pub(super) fn cases() -> Vec<Case> {
    let publish = |name, headers: &str, body: &[u8], expected| {
        Case::new(name, Port::Producer, request("/publish", headers, body), expected)
    };
    let refused = REFUSED.iter().map(|(name, body)| publish(name, JSON, body, Expected::kept(400, "BAD REQUEST")));
    let served = SERVED
        .iter()
        .map(|(name, body, heard)| publish(name, JSON, body.as_bytes(), Expected::kept(200, "OK").hearing(*heard)));
    let unsupported = UNSUPPORTED
        .iter()
        .map(|(name, headers)| publish(name, headers, BODY.as_bytes(), Expected::kept(415, "UNSUPPORTED MEDIA TYPE")));
    // A room's name like any other, though of nobody here.
    let separated = "{\"target_id\":\"room\u{2028}1\"}".as_bytes();
    let served = served.chain([publish("a line separator in the target", JSON, separated, Expected::kept(200, "OK"))]);
    refused.chain(served).chain(unsupported).chain(sized()).chain(compressed()).chain(payloads()).collect()
}

fn request(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn nested(levels: usize) -> String {
    format!(r#"{{"target_id":"room-1","x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels))
}

/// Bodies that are at a limit or far over it.
fn sized() -> Vec<Case> {
    let publish = |name, body: &str, expected| {
        Case::new(name, Port::Producer, request("/publish", JSON, body.as_bytes()), expected)
    };
    let bad = || Expected::kept(400, "BAD REQUEST");
    let large = "PAYLOAD TOO LARGE";
    let target = |bytes: usize| format!(r#"{{"target_id":"{}"}}"#, "x".repeat(bytes));
    let padded = |bytes: usize| format!("{BODY}{}", " ".repeat(bytes - BODY.len()));
    vec![
        publish(
            "128 levels",
            &nested(127),
            Expected::kept(200, "OK").hearing(format!(r#"{{"x":{}{}}}"#, "[".repeat(127), "]".repeat(127))),
        ),
        publish("129 levels", &nested(128), bad()),
        publish("40,000 levels", &nested(40_000), bad()),
        publish("a target of 256 bytes", &target(256), bad()),
        publish("a target of 65,536 bytes", &target(65_536), bad()),
        publish("102,400 bytes", &padded(102_400), Expected::kept(200, "OK").hearing(HEARD)),
        publish("102,401 bytes", &padded(102_401), Expected::kept(413, large)),
        publish("a mebibyte", &padded(1 << 20), Expected::kept(413, large)),
        publish("a mebibyte and a byte", &padded((1 << 20) + 1), Expected::refused(413, large)),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn compressed() -> Vec<Case> {
    let headers = format!("{JSON}\r\nContent-Encoding: gzip");
    let publish =
        |name, body: &[u8], expected| Case::new(name, Port::Producer, request("/publish", &headers, body), expected);
    let bad = || Expected::kept(400, "BAD REQUEST");
    let whole = gzip(BODY.as_bytes());
    let mut wrong_sum = whole.clone();
    let at = wrong_sum.len() - 8;
    wrong_sum[at] ^= 1;
    let bomb = gzip(&vec![b' '; 10 << 20]);
    vec![
        publish("gzip", &whole, Expected::kept(200, "OK").hearing(HEARD)),
        publish("gzip that is cut off", &whole[..whole.len() - 1], bad()),
        publish("gzip with a wrong sum", &wrong_sum, bad()),
        publish("gzip of nothing", b"", bad()),
        publish("gzip that is none", BODY.as_bytes(), bad()),
        publish("gzip in gzip", &gzip(&whole), bad()),
        publish("gzip of ten mebibytes", &bomb, Expected::kept(413, "PAYLOAD TOO LARGE")),
        publish("gzip of ten mebibytes, a hundred times", &bomb.repeat(100), Expected::kept(413, "PAYLOAD TOO LARGE")),
    ]
}

/// On the consumer's port a body is a polling payload, whatever its headers call it.
fn payloads() -> Vec<Case> {
    let post = |name, headers: &str, body: &[u8], expected| {
        Case::new(name, Port::Consumer, request(SESSION, headers, body), expected)
    };
    let bad = || Expected::kept(400, ENGINE_BAD_REQUEST);
    let ok = || Expected::kept(200, "ok");
    let packet = PACKET.as_bytes();
    let mut large = packet.to_vec();
    large.resize(1_000_001, b' ');
    vec![
        post("a payload", "Content-Type: text/plain", packet, ok()),
        post("a payload without a type", "X: y", packet, ok()),
        post("a payload with two types", "Content-Type: text/plain\r\nContent-Type: a/b", packet, ok()),
        post("a payload in what is called utf-16", "Content-Type: text/plain; charset=utf-16", packet, ok()),
        post("a publish for a payload", JSON, BODY.as_bytes(), bad()),
        post("an empty payload", "X: y", b"", bad()),
        post("a payload that is no UTF-8", "X: y", b"42[\"\xff\"]", bad()),
        post("a payload in UTF-16", "X: y", b"\xff\xfe4\x002\0", bad()),
        post("a payload behind a mark of UTF-8", "X: y", &[b"\xef\xbb\xbf", packet].concat(), bad()),
        post("a payload in gzip", "Content-Encoding: gzip", &gzip(packet), bad()),
        post("a payload of 1,000,001 bytes", "X: y", &large, Expected::kept(413, "")),
        post("a payload of ten megabytes", "X: y", &large.repeat(10), Expected::refused(413, "")),
        post("a payload of separators", "X: y", &[0x1e; 900_000], bad()),
    ]
}
