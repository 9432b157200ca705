//! The body that is published, and how its answer is told.

use clap::Parser;
use http::{Response, StatusCode};
use hyper::body::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Answer, Args, EXIT_FAULT, EXIT_OK, EXIT_USAGE, body, publish, read_data, report};
use crate::cli::client::testing::Gateway;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    args: Args,
}

fn parse(args: &[&str]) -> Result<Args, clap::Error> {
    Command::try_parse_from([&["publish"], args].concat()).map(|command| command.args)
}

#[test]
fn the_target_goes_in_front_and_the_data_keeps_its_bytes() {
    for (data, published) in [
        ("{}", r#"{"target_id":"r\"1"}"#),
        (" { } ", r#"{"target_id":"r\"1" } "#),
        (r#"{ "b":1.0e2, "a":[1, 2] }"#, r#"{"target_id":"r\"1", "b":1.0e2, "a":[1, 2] }"#),
    ] {
        let body = body("r\"1", data.as_bytes()).unwrap();
        assert_eq!(body, published);
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok(), "{data}");
    }
}

#[test]
fn data_that_is_no_object_or_names_a_target_is_refused() {
    for data in ["", "1", "[]", "null", "{", "{} {}", "{\"a\":1,}"] {
        let error = body("r", data.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("is not a JSON object"), "{data}: {error}");
    }
    let error = body("r", br#"{"a":1,"target\u005fid":"x"}"#).unwrap_err();
    assert!(error.to_string().contains("target_id"), "{error}");
}

#[test]
fn data_can_stand_in_a_file() {
    let file = std::env::temp_dir().join(format!("roomcast-publish-{}.json", std::process::id()));
    std::fs::write(&file, "{\"a\":1}\n").unwrap();
    assert_eq!(read_data(&format!("@{}", file.display())).unwrap(), b"{\"a\":1}\n");
    std::fs::remove_file(&file).unwrap();
    assert!(read_data(&format!("@{}", file.display())).is_err());
}

fn answer(status: StatusCode) -> Answer {
    let head = Response::builder().status(status).body(()).unwrap().into_parts().0;
    Answer { head, body: Bytes::from_static(b"FORBIDDEN") }
}

#[test]
fn an_answer_becomes_text_and_an_exit_code() {
    let mut out = Vec::new();
    assert_eq!(report(&answer(StatusCode::OK), &mut out), EXIT_OK);
    assert_eq!(out, b"OK\n");
    out.clear();
    assert_eq!(report(&answer(StatusCode::FORBIDDEN), &mut out), EXIT_FAULT);
    assert!(out.is_empty());
}

#[tokio::test]
async fn the_request_is_what_a_producer_expects() {
    let gateway = Gateway::bind().await;
    let url = format!("http://{}/below", gateway.addr());
    let args = parse(&["--url", &url, "--target", "room", "--data", r#"{"a":1}"#]).unwrap();
    let server = async {
        let mut peer = gateway.accept().await;
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            assert!(peer.read_buf(&mut request).await.unwrap() > 0);
        }
        peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK").await.unwrap();
        String::from_utf8(request).unwrap().to_ascii_lowercase()
    };
    let mut out = Vec::new();
    let (code, request) = tokio::join!(publish(args, &mut out), server);
    assert_eq!((code.unwrap(), out.as_slice()), (EXIT_OK, &b"OK\n"[..]));
    assert!(request.starts_with("post /below/publish http/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("\r\nhost: {}\r\n", gateway.addr())), "{request}");
    assert!(request.contains("\r\ncontent-type: application/json\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"target_id\":\"room\",\"a\":1}"), "{request}");
}

#[tokio::test]
async fn bad_data_is_a_fault_of_usage() {
    let args = parse(&["--target", "room", "--data", "[]"]).unwrap();
    assert_eq!(publish(args, &mut Vec::new()).await.unwrap(), EXIT_USAGE);
}

#[test]
fn a_target_is_needed() {
    assert!(parse(&[]).is_err());
    assert!(parse(&["--target", "a", "--url", "localhost"]).is_err());
}
