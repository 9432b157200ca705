//! A tail's lines, its end, and its way back.

use std::io::{self, Write};

use chrono::DateTime;
use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Args, Credential, EXIT_FAULT, EXIT_OK, Tail, line};
use crate::cli::client::testing::Gateway;
use crate::types::Secret;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    args: Args,
}

fn tail<W: Write>(dialer: crate::cli::client::Dialer, left: Option<u64>, out: W) -> Tail<W> {
    Tail { dialer, users: vec!["a".to_owned()], credential: Credential::Token(Secret::new("t")), left, out }
}

#[test]
fn an_event_is_one_line() {
    let now = DateTime::from_timestamp_millis(1_795_226_160_123).unwrap();
    let line = |event: &str| String::from_utf8(line(event.as_bytes(), now).unwrap()).unwrap();
    let time = r#"{"time":"2026-11-21T01:56:00.123Z","event":"#;
    assert_eq!(line(r#"["a",{"n":1.0}]"#), format!("{time}\"a\",\"data\":{{\"n\":1.0}}}}\n"));
    assert_eq!(line("[\"a\",{\"n\":\r\n 1}]"), format!("{time}\"a\",\"data\":{{\"n\":   1}}}}\n"));
    assert_eq!(line(r#"["a"]"#), format!("{time}\"a\",\"data\":null}}\n"));
    assert_eq!(line(r#"["a",1,"b"]"#), format!("{time}\"a\",\"data\":[1,\"b\"]}}\n"));
}

#[test]
fn what_is_no_event_is_no_line() {
    assert!(line(b"{}", DateTime::UNIX_EPOCH).is_err());
    assert!(line(b"[\"a\",", DateTime::UNIX_EPOCH).is_err());
}

#[tokio::test]
async fn a_tail_comes_back_after_a_close_and_ends_with_its_count() {
    let gateway = Gateway::bind().await;
    let mut tail = tail(gateway.dialer().await, Some(2), Vec::new());
    let server = async {
        let (mut peer, connect) = gateway.subscriber().await;
        assert_eq!(connect, r#"40{"token":"t"}"#);
        peer.send(r#"42["a",{"n":1}]"#).await;
        peer.close().await;
        let (mut peer, _) = gateway.subscriber().await;
        peer.send(r#"42["a",{"n":2}]"#).await;
        peer.receive().await
    };
    let (code, last) = tokio::join!(tail.run(), server);
    assert_eq!((code, last.as_str()), (EXIT_OK, ""));
    let lines = String::from_utf8(tail.out).unwrap();
    let data: Vec<_> = lines.lines().map(|line| line.split_once("\"data\":").unwrap().1).collect();
    assert_eq!(data, [r#"{"n":1}}"#, r#"{"n":2}}"#]);
}

#[tokio::test]
async fn an_invalid_token_ends_a_tail() {
    let gateway = Gateway::bind().await;
    let mut tail = tail(gateway.dialer().await, None, Vec::new());
    let server = async {
        let (mut peer, _) = gateway.open().await;
        peer.receive().await;
        peer.send(r#"44{"message":"invalid token"}"#).await;
        peer
    };
    let (code, _peer) = tokio::join!(tail.run(), server);
    assert_eq!(code, EXIT_FAULT);
}

#[tokio::test]
async fn a_busy_gateway_is_tried_again_and_a_missing_path_ends_a_tail() {
    let gateway = Gateway::bind().await;
    let mut tail = tail(gateway.dialer().await, None, Vec::new());
    let server = async {
        for status in ["503 Service Unavailable", "404 Not Found"] {
            let mut peer = gateway.accept().await;
            assert!(peer.read(&mut [0; 4096]).await.unwrap() > 0);
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            peer.write_all(answer.as_bytes()).await.unwrap();
        }
    };
    let (code, ()) = tokio::join!(tail.run(), server);
    assert_eq!(code, EXIT_FAULT);
}

#[tokio::test]
async fn a_closed_pipe_ends_a_tail_quietly() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let gateway = Gateway::bind().await;
    let mut tail = tail(gateway.dialer().await, None, Closed);
    let server = async {
        let (mut peer, _) = gateway.subscriber().await;
        peer.send(r#"42["a",{}]"#).await;
        peer
    };
    let (code, _peer) = tokio::join!(tail.run(), server);
    assert_eq!(code, EXIT_OK);
}

#[test]
fn a_user_is_needed_and_several_are_allowed() {
    let parse = |args: &[&str]| Command::try_parse_from([&["tail"], args].concat());
    assert!(parse(&["--token", "t"]).is_err());
    assert!(parse(&["--user", "a", "--count", "0"]).is_err());
    assert_eq!(parse(&["--user", "a", "--user", "b"]).unwrap().args.users, ["a", "b"]);
}
