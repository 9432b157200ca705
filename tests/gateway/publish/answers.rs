//! Paths, verbs and headers, byte for byte as Express words them.

use serde_json::json;

use super::JSON;
use crate::harness::Gateway;
use crate::harness::http::{Answer, Connection};

const OK_TAG: &str = r#"W/"2-nOO9QiTIwXgNtWtBJezz8kv3SLc""#;

/// The headers of every answer, but those that each test names.
fn has_common_headers(answer: &Answer, etag: &str) {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("connection"), "keep-alive");
    assert_eq!(answer.header("keep-alive"), "timeout=75");
    assert_eq!(answer.header("etag"), etag);
    for absent in ["x-powered-by", "access-control-allow-origin", "server"] {
        assert_eq!(answer.header(absent), "", "{absent}");
    }
    assert!(!answer.header("date").is_empty());
}

#[tokio::test]
async fn a_publish_is_200_ok_whatever_the_case_of_its_path() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    let mut connection = Connection::open(gateway.producer()).await;
    for path in ["/publish", "/PUBLISH", "/Publish/", "/publish?x=1", "/publish/?target_id=other"] {
        let head = format!("POST {path}\nContent-Type: application/json");
        let answer = connection.request(&head, format!(r#"{{"target_id":"room-1","path":"{path}"}}"#)).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "{path}");
        has_common_headers(&answer, OK_TAG);
        assert_eq!(answer.header("content-length"), "2");
        assert_eq!(subscriber.event().await, ("room-1".to_owned(), json!({ "path": path })));
    }
}

#[tokio::test]
async fn a_publish_that_was_taken_is_told_how_many_receive_it() {
    let gateway = Gateway::start(&[("CLUSTER_MODE", "1"), ("CLUSTER_INSTANCES", "2")]).await;
    let mut members = Vec::new();
    for _ in 0..5 {
        members.push(gateway.subscribe_all(&["room-1", "room-2"]).await);
    }
    let receivers = async |room: &str| {
        let answer = gateway.post(json!({ "target_id": room }).to_string()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
        answer.header("x-receivers").to_owned()
    };
    assert_eq!((receivers("room-1").await, receivers("room-2").await), ("5".to_owned(), "5".to_owned()));
    assert_eq!(receivers("room-3").await, "0");
    for member in &mut members {
        assert_eq!(member.event().await.0, "room-1");
        assert_eq!(member.event().await.0, "room-2");
    }
    members.truncate(2);
    gateway.until(|stats| stats.subscribers.get() == 2).await;
    assert_eq!(receivers("room-1").await, "2");
    let refused = gateway.post(r#"{"target_id":5}"#).await;
    assert_eq!((refused.status, refused.header("x-receivers")), (400, ""));
}

#[tokio::test]
async fn status_answers_get_and_head() {
    let gateway = Gateway::start(&[]).await;
    let mut connection = Connection::open(gateway.producer()).await;
    for path in ["/status", "/Status", "/status/", "/STATUS?probe"] {
        let answer = connection.request(&format!("GET {path}"), "").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "{path}");
        has_common_headers(&answer, OK_TAG);
        let answer = connection.request(&format!("HEAD {path}"), "").await;
        assert_eq!((answer.status, answer.header("content-length")), (200, "2"), "{path}");
        has_common_headers(&answer, OK_TAG);
    }
}

#[tokio::test]
async fn status_is_304_for_who_has_it_already() {
    let gateway = Gateway::start(&[]).await;
    let mut connection = Connection::open(gateway.producer()).await;
    for tags in [OK_TAG.to_owned(), format!("\"other\", {OK_TAG}"), "*".to_owned(), OK_TAG.replace("W/", "")] {
        let answer = connection.request(&format!("GET /status\nIf-None-Match: {tags}"), "").await;
        assert_eq!((answer.status, answer.header("etag"), answer.body.as_str()), (304, OK_TAG, ""), "{tags}");
        assert_eq!(answer.header("keep-alive"), "timeout=75");
    }
    let answer = connection.request("GET /status\nIf-None-Match: \"other\"", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "the 304s left nothing on the connection");
}

#[tokio::test]
async fn options_names_the_verbs_and_no_origin() {
    let gateway = Gateway::start(&[]).await;
    let mut connection = Connection::open(gateway.producer()).await;
    for (path, verbs, etag) in [
        ("/publish", "POST", r#"W/"4-Yf+Bwwqjx254r+pisuO9HfpJ6FQ""#),
        ("/status", "GET,HEAD", r#"W/"8-ZRAf8oNBS3Bjb/SU2GYZCmbtmXg""#),
    ] {
        let answer = connection.request(&format!("OPTIONS {path}"), "").await;
        assert_eq!((answer.status, answer.body.as_str(), answer.header("allow")), (200, verbs, verbs));
        has_common_headers(&answer, etag);
    }
}

#[tokio::test]
async fn what_is_not_there_is_express_404_page() {
    let gateway = Gateway::start(&[]).await;
    let mut connection = Connection::open(gateway.producer()).await;
    for (line, shown) in [
        ("GET /publish", "GET /publish"),
        ("DELETE /publish", "DELETE /publish"),
        ("PUT /status", "PUT /status"),
        ("GET /", "GET /"),
        ("POST /publish//", "POST /publish//"),
        ("GET /publishes?secret=1", "GET /publishes"),
        ("GET /a%20\"{b}&'", "GET /a%20%22%7Bb%7D&amp;&#39;"),
        ("PATCH /v1/publish", "PATCH /v1/publish"),
    ] {
        let answer = connection.request(line, "").await;
        assert_eq!(answer.status, 404, "{line}");
        assert!(answer.body.contains(&format!("<pre>Cannot {shown}</pre>")), "{line}: {}", answer.body);
        assert!(answer.body.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{}", answer.body);
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        has_common_headers(&answer, "");
    }
    let answer = connection.request("HEAD /nothing", "").await;
    assert_eq!(answer.status, 404);
    assert_ne!(answer.header("content-length"), "0", "the length of the page that GET gets");
}

#[tokio::test]
async fn bad_requests_have_the_tag_of_their_text_and_keep_the_connection() {
    let gateway = Gateway::start(&[]).await;
    let mut connection = Connection::open(gateway.producer()).await;
    for _ in 0..3 {
        let answer = connection.request(JSON, "{}").await;
        assert_eq!((answer.status, answer.body.as_str()), (400, "BAD REQUEST"));
        has_common_headers(&answer, r#"W/"b-ueOQZvhJfbG5KRy8qPHbB9z4L9I""#);
    }
    assert_eq!(connection.request("GET /status", "").await.status, 200);
}

#[tokio::test]
async fn the_client_decides_whether_the_connection_is_kept() {
    let gateway = Gateway::start(&[]).await;
    for (request, kept) in [
        ("GET /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false),
        ("GET /status HTTP/1.0\r\n\r\n", false),
        ("GET /status HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
        ("GET /status HTTP/1.1\r\nHost: a\r\n\r\n", true),
    ] {
        let mut connection = Connection::open(gateway.producer()).await;
        connection.send(request).await;
        let answer = connection.answer(false).await.unwrap();
        assert_eq!(answer.status, 200, "{request}");
        assert_eq!(answer.header("connection"), if kept { "keep-alive" } else { "close" }, "{request}");
        assert_eq!(answer.header("keep-alive"), if kept { "timeout=75" } else { "" }, "{request}");
        if kept {
            assert_eq!(connection.request("GET /status", "").await.status, 200, "{request}");
        } else {
            assert!(connection.closed().await, "{request}");
        }
    }
}

#[tokio::test]
async fn a_thousand_pipelined_publishes_arrive_in_order() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    let mut connection = Connection::open(gateway.producer()).await;
    for round in 0..20 {
        for number in 0..50 {
            let body = json!({ "target_id": "room-1", "number": round * 50 + number });
            connection.send_request(JSON, body.to_string()).await;
        }
        for number in 0..50 {
            assert_eq!(connection.answer(false).await.unwrap().status, 200);
            assert_eq!(subscriber.event().await.1["number"], round * 50 + number);
        }
    }
}
