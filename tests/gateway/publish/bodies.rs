//! What a body may be: bytes kept as they were written, encodings, and the exact edges of the limits.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::JSON;
use crate::harness::Gateway;
use crate::harness::http::Connection;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A body of exactly so many bytes.
fn sized(bytes: usize) -> String {
    let (open, close) = (r#"{"target_id":"room-1","x":""#, r#""}"#);
    format!("{open}{}{close}", "x".repeat(bytes - open.len() - close.len()))
}

#[tokio::test]
async fn every_byte_but_the_target_is_kept() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    for (body, argument) in [
        (r#"{"target_id":"room-1"}"#, "{}"),
        (r#"{"big":9007199254740993,"target_id":"room-1","e":1e400}"#, r#"{"big":9007199254740993,"e":1e400}"#),
        (r#"{"b":1,"2":2,"1":1,"b":3,"target_id":"room-1"}"#, r#"{"b":1,"2":2,"1":1,"b":3}"#),
        (r#"{"target_id":"other","target_id":"room-1","a":null}"#, r#"{"a":null}"#),
        (r#"{"target\u005fid":"room\u002d1","a":"\u00e9\ud83d\ude00é😀"}"#, r#"{"a":"\u00e9\ud83d\ude00é😀"}"#),
        (
            r#"{"target_id":"room-1","__proto__":{"x":1},"constructor":1,"toJSON":2}"#,
            r#"{"__proto__":{"x":1},"constructor":1,"toJSON":2}"#,
        ),
        (r#"{"target_id":"room-1","f":{"_placeholder":true,"num":0}}"#, r#"{"f":{"_placeholder":true,"num":0}}"#),
        (r#"{"target_id":"room-1","nested":{"target_id":"x"}}"#, r#"{"nested":{"target_id":"x"}}"#),
        ("{\"target_id\":\"room-1\",\"a\":\"\u{2028}\u{2029}\u{7f}\"}", "{\"a\":\"\u{2028}\u{2029}\u{7f}\"}"),
        ("\u{feff}{\"target_id\":\"room-1\",\"bom\":1}", r#"{"bom":1}"#),
    ] {
        assert_eq!(gateway.post(body).await.status, 200, "{body}");
        assert_eq!(subscriber.packet().await.unwrap(), format!(r#"42["room-1",{argument}]"#));
    }
}

#[tokio::test]
async fn gzip_and_deflate_are_inflated() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    let body = br#"{"target_id":"room-1","x":1}"#;
    let mut connection = Connection::open(gateway.producer()).await;
    for (encoding, bytes) in
        [("gzip", gzip(body)), ("GZIP", gzip(body)), ("deflate", zlib(body)), ("identity", body.into())]
    {
        let answer = connection.request(&format!("{JSON}\nContent-Encoding: {encoding}"), bytes).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "{encoding}");
        assert_eq!(subscriber.packet().await.unwrap(), r#"42["room-1",{"x":1}]"#, "{encoding}");
    }
}

#[tokio::test]
async fn what_cannot_be_inflated_is_400() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    let body = br#"{"target_id":"room-1","x":1}"#;
    let good = gzip(body);
    let raw_deflate = {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let mut connection = Connection::open(gateway.producer()).await;
    for (encoding, bytes) in [
        ("gzip", good[..good.len() - 9].to_vec()),
        ("gzip", body.to_vec()),
        ("gzip", gzip(&good)),
        ("deflate", good.clone()),
        ("deflate", raw_deflate),
        ("deflate", [zlib(body), b"x".to_vec()].concat()),
        ("gzip", Vec::new()),
    ] {
        let answer = connection.request(&format!("{JSON}\nContent-Encoding: {encoding}"), bytes).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, "BAD REQUEST"), "{encoding}");
    }
    gateway.expect_silence(&mut subscriber, "room-1").await;
}

#[tokio::test]
async fn the_limit_is_102400_bytes_after_inflation() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    for (bytes, status) in [(102_400, 200), (102_401, 413)] {
        let body = sized(bytes);
        for (encoding, sent) in [
            ("identity", body.clone().into_bytes()),
            ("gzip", gzip(body.as_bytes())),
            ("deflate", zlib(body.as_bytes())),
        ] {
            let answer = gateway.ask_producer(&format!("{JSON}\nContent-Encoding: {encoding}"), sent).await;
            assert_eq!(answer.status, status, "{encoding} {bytes}");
            if status == 200 {
                assert_eq!(subscriber.packet().await.unwrap().len(), bytes - r#""target_id":"room-1","#.len() + 13);
            } else {
                assert_eq!(answer.body, "PAYLOAD TOO LARGE");
            }
        }
    }
    gateway.expect_silence(&mut subscriber, "room-1").await;
}

#[tokio::test]
async fn chunks_are_counted_as_they_come() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    let head =
        "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (bytes, status) in [(102_400, 200), (102_401, 413)] {
        let mut connection = Connection::open(gateway.producer()).await;
        connection.send(head).await;
        for chunk in sized(bytes).as_bytes().chunks(10_000) {
            connection.send([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()).await;
        }
        connection.send("0\r\n\r\n").await;
        assert_eq!(connection.answer(false).await.unwrap().status, status);
        assert_eq!(connection.request("GET /status", "").await.status, 200, "the connection is kept");
    }
    assert!(subscriber.packet().await.is_some());
    gateway.expect_silence(&mut subscriber, "room-1").await;
}

#[tokio::test]
async fn another_limit_holds_as_it_is_set() {
    let gateway = Gateway::start(&[("PUBLISH_BODY_LIMIT", "100")]).await;
    for (bytes, status) in [(100, 200), (101, 413)] {
        assert_eq!(gateway.post(sized(bytes)).await.status, status);
    }
}

#[tokio::test]
async fn bombs_are_413_at_once() {
    let gateway = Gateway::start(&[]).await;
    let zeros = vec![b' '; 10 << 20];
    for (encoding, bomb) in [("gzip", gzip(&zeros)), ("deflate", zlib(&zeros))] {
        let begun = std::time::Instant::now();
        let answer = gateway.ask_producer(&format!("{JSON}\nContent-Encoding: {encoding}"), bomb).await;
        assert_eq!((answer.status, answer.body.as_str()), (413, "PAYLOAD TOO LARGE"), "{encoding}");
        assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
    }
    assert_eq!(gateway.ask_producer("GET /status", "").await.status, 200);
}

#[tokio::test]
async fn bodies_that_are_not_an_object_in_utf8_are_400() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe_all(&["room-1", "null", "undefined", "5"]).await;
    let mut connection = Connection::open(gateway.producer()).await;
    let bodies: [&[u8]; 18] = [
        b"",
        b" ",
        b"[]",
        b"5",
        b"null",
        b"\"room-1\"",
        b"[{\"target_id\":\"room-1\"}]",
        b"{\"target_id\":\"room-1\"",
        b"{\"target_id\":\"room-1\"} x",
        b"{\"target_id\":\"room-1\",}",
        b"{'target_id':'room-1'}",
        b"{\"target_id\":\"room-1\",\"x\":NaN}",
        b"{\"target_id\":\"room-1\",\"x\":01}",
        b"{\"target_id\":\"room-1\",\"x\":\"\xff\"}",
        b"{\"target_id\":\"room-1\",\"x\":\"\xed\xa0\x80\"}",
        b"{\"target_id\":\"room-1\",\"x\":\"\n\"}",
        b"{\"target_id\":\"\\ud800\"}",
        b"\xff\xfe{\x00}\x00",
    ];
    for body in bodies {
        let answer = connection.request(JSON, body).await;
        let shown = String::from_utf8_lossy(body);
        assert_eq!((answer.status, answer.body.as_str()), (400, "BAD REQUEST"), "{shown}");
    }
    gateway.expect_silence(&mut subscriber, "room-1").await;
}

#[tokio::test]
async fn types_charsets_and_encodings_that_are_not_json_in_utf8_are_415() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    let mut connection = Connection::open(gateway.producer()).await;
    let body = r#"{"target_id":"room-1","x":1}"#;
    for headers in [
        "X: y",
        "Content-Type:",
        "Content-Type: text/plain",
        "Content-Type: application/jsonp",
        "Content-Type: application/vnd.api+json",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: application/json, application/json",
        "Content-Type: application/json\nContent-Type: application/json",
        "Content-Type: application/json; charset=utf-16",
        "Content-Type: application/json; charset=utf-32",
        "Content-Type: application/json; charset=latin1",
        "Content-Type: application/json\nContent-Encoding: br",
        "Content-Type: application/json\nContent-Encoding: gzip, gzip",
        "Content-Type: application/json\nContent-Encoding: gzip\nContent-Encoding: gzip",
        "Content-Type: application/json\nContent-Encoding: zstd",
    ] {
        let answer = connection.request(&format!("POST /publish\n{headers}"), body).await;
        assert_eq!((answer.status, answer.body.as_str()), (415, "UNSUPPORTED MEDIA TYPE"), "{headers}");
    }
    gateway.expect_silence(&mut subscriber, "room-1").await;
    for kind in ["application/json;charset=UTF-8", "Application/JSON", "application/json; charset=\"utf-8\"; a=b"] {
        let answer = connection.request(&format!("POST /publish\nContent-Type: {kind}"), body).await;
        assert_eq!(answer.status, 200, "{kind}");
        assert!(subscriber.packet().await.is_some(), "{kind}");
    }
}
