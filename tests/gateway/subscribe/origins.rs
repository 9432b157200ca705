//! CORS on every answer, and foreign origins, which get none of the service on any transport.

use serde_json::json;

use crate::harness::dial::dial;
use crate::harness::http::{Answer, Connection};
use crate::harness::polling::Polling;
use crate::harness::socket::Socket;
use crate::harness::{Gateway, ORIGIN, token};

const FOREIGN: [&str; 8] = [
    "https://evil.example",
    "http://app.test",
    "https://app.test:8443",
    "https://app.test.evil.example",
    "https://APP.test",
    "https://app.test/",
    "null",
    "",
];

fn is_allowed(answer: &Answer, origin: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), origin, "{answer:?}");
    assert!(answer.header("vary").starts_with("Origin"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}

fn is_forbidden(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_str()), (403, r#"{"code":4,"message":"Forbidden"}"#));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), ("", "Origin"));
}

#[tokio::test]
async fn an_allowed_origin_is_repeated_on_every_answer() {
    let gateway = Gateway::start(&[("MAX_CONNECTIONS_PER_IP", "1")]).await;
    let mut connection = Connection::open(gateway.consumer()).await;
    for (path, status) in [
        ("GET /socket.io/?EIO=4&transport=polling", 200),
        ("GET /socket.io/?EIO=4&transport=polling", 429),
        ("GET /socket.io/?EIO=4&transport=polling&sid=unknown", 400),
        ("GET /socket.io/", 400),
        ("POST /socket.io/?EIO=4&transport=polling", 400),
    ] {
        let answer = connection.request(&format!("{path}\nOrigin: {ORIGIN}"), "").await;
        assert_eq!(answer.status, status, "{path}");
        is_allowed(&answer, ORIGIN);
    }
}

#[tokio::test]
async fn a_whole_session_carries_it_and_one_without_origin_carries_none() {
    let gateway = Gateway::start(&[]).await;
    let origin = format!("\nOrigin: {ORIGIN}");
    let (session, _) = Polling::open_over(dial(gateway.consumer()).await, "", &origin).await.ok().unwrap();
    let mut connection = Connection::open(gateway.consumer()).await;
    let body = format!("40{}", json!({ "token": token() }));
    let posted = connection.request(&format!("POST {}{origin}", session.path()), body).await;
    assert_eq!(posted.body, "ok");
    is_allowed(&posted, ORIGIN);
    let polled = connection.request(&format!("GET {}{origin}", session.path()), "").await;
    assert_eq!(polled.status, 200);
    is_allowed(&polled, ORIGIN);
    is_allowed(&connection.request("GET /socket.io/?EIO=4&transport=polling", "").await, "");
}

#[tokio::test]
async fn a_preflight_is_answered_as_vrchats_does() {
    let gateway = Gateway::start(&[]).await;
    let mut connection = Connection::open(gateway.consumer()).await;
    let head = format!(
        "OPTIONS /socket.io/?EIO=4&transport=polling\nOrigin: {ORIGIN}\nAccess-Control-Request-Method: POST\n\
         Access-Control-Request-Headers: content-type,x-more"
    );
    let answer = connection.request(&head, "").await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    is_allowed(&answer, ORIGIN);
    assert_eq!(answer.header("vary"), "Origin, Access-Control-Request-Headers");
    assert_eq!(answer.header("access-control-allow-methods"), "GET,POST");
    assert_eq!(answer.header("access-control-allow-headers"), "content-type,x-more");
    assert_eq!(connection.request("GET /socket.io/", "").await.status, 400, "the connection is kept");
}

#[tokio::test]
async fn a_foreign_origin_is_403_on_every_request_and_on_the_upgrade() {
    let gateway = Gateway::start(&[]).await;
    let (session, _) = Polling::open(gateway.consumer(), "").await.ok().unwrap();
    let upgrade = "\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let mut connection = Connection::open(gateway.consumer()).await;
    for origin in FOREIGN {
        for line in [
            "GET /socket.io/?EIO=4&transport=polling".to_owned(),
            "OPTIONS /socket.io/?EIO=4&transport=polling".to_owned(),
            "GET /socket.io/".to_owned(),
            format!("GET {}", session.path()),
            format!("POST {}", session.path()),
            format!("GET /socket.io/?EIO=4&transport=websocket{upgrade}"),
            format!("GET {}{upgrade}", session.path().replace("polling", "websocket")),
        ] {
            is_forbidden(&connection.request(&format!("{line}\nOrigin: {origin}"), "").await);
        }
    }
    is_forbidden(&connection.request(&format!("GET /socket.io/\nOrigin: {ORIGIN}\nOrigin: {ORIGIN}"), "").await);
    assert_eq!(gateway.stats().sessions.get(), 1, "only the session of nobody's page");
}

#[tokio::test]
async fn subdomains_are_allowed_by_a_wildcard_and_nothing_else_is() {
    let gateway = Gateway::start(&[("TRUST_ORIGIN_LIST", " https://app.test , https://*.example.com:8443")]).await;
    for (origin, status) in [
        ("https://app.test", 200),
        ("https://a.example.com:8443", 200),
        ("https://a.b.example.com:8443", 200),
        ("https://example.com:8443", 403),
        ("https://a.example.com", 403),
        ("https://evil-example.com:8443", 403),
        ("https://.example.com:8443", 403),
        ("https://evil.test/.example.com:8443", 403),
        ("https://evil.test:1#.example.com:8443", 403),
    ] {
        let head = format!("GET /socket.io/?EIO=4&transport=polling\nOrigin: {origin}");
        assert_eq!(gateway.ask_consumer(&head, "").await.status, status, "{origin}");
        let socket = Socket::open(gateway.consumer(), "", &[("Origin", origin)]).await;
        assert_eq!(socket.err(), (status == 403).then_some(403), "{origin}");
    }
}
