//! `LEGACY_PUBLISH=1`: the route and the body of vrchats up to 0.4, delivered to the room and to nobody else.

use serde_json::json;

use crate::harness::dial::dial_from;
use crate::harness::http::{Answer, Connection};
use crate::harness::node::StockClients;
use crate::harness::process::{Process, free_port, roomcast, token_now};
use crate::harness::{Gateway, environment};

const ROOT: &str = "POST /\nContent-Type: application/json";
const LEGACY: (&str, &str) = ("LEGACY_PUBLISH", "1");
/// What the first versions took, and nothing else.
const UUID_PATTERN: &str = "^[a-fA-F0-9]{8}-([a-fA-F0-9]{4}-){3}[a-fA-F0-9]{12}$";
const USER: &str = "5f0d7c52-8d6b-4c0e-9a3d-6b1f2e7a9c04";

fn said(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body.as_str())
}

#[tokio::test]
async fn an_old_body_reaches_its_room_and_nobody_else_on_either_route() {
    let gateway = Gateway::start(&[LEGACY]).await;
    let mut user = gateway.subscribe(USER).await;
    let mut others = [gateway.subscribe("room-1").await, gateway.subscribe_all(&[]).await];
    let body = format!(r#"{{"from":{{"id":1}},"uuid":"{USER}","n":9007199254740993,"to":{{"uuid":"room-1"}}}}"#);
    for head in
        [ROOT, "POST /publish\nContent-Type: application/json", "POST /Publish/\nContent-Type: application/json"]
    {
        assert_eq!(said(&gateway.ask_producer(head, &body).await), (200, "OK"), "{head}");
        let expected = format!(r#"42["{USER}",{{"from":{{"id":1}},"n":9007199254740993,"to":{{"uuid":"room-1"}}}}]"#);
        assert_eq!(user.packet().await.unwrap(), expected, "{head}");
    }
    gateway.expect_silence(&mut others[0], "room-1").await;
    others[1].send("1").await;
    assert_eq!(others[1].packet().await, None, "who named no room hears nothing");
    assert_eq!(gateway.stats().deliveries.get(), 4);
}

#[tokio::test]
async fn what_is_published_today_means_the_same_beside_it() {
    let gateway = Gateway::start(&[LEGACY]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    let mut other = gateway.subscribe("room-2").await;
    for (body, payload) in [
        (r#"{"uuid":"room-2","target_id":"room-1","x":1}"#, r#"{"uuid":"room-2","x":1}"#),
        (r#"{"target_id":"room-1","uuid":null}"#, r#"{"uuid":null}"#),
    ] {
        for head in [ROOT, "POST /publish\nContent-Type: application/json"] {
            assert_eq!(said(&gateway.ask_producer(head, body).await), (200, "OK"), "{body}");
            assert_eq!(subscriber.packet().await.unwrap(), format!(r#"42["room-1",{payload}]"#));
        }
    }
    gateway.expect_silence(&mut other, "room-2").await;
}

#[tokio::test]
async fn a_bad_target_is_400_where_old_versions_said_200_and_the_connection_is_kept() {
    let gateway = Gateway::start(&[LEGACY, ("EVENT_ID_REGEX_VALIDATION_PATTERN", UUID_PATTERN)]).await;
    let mut user = gateway.subscribe(USER).await;
    let mut publisher = Connection::open(gateway.producer()).await;
    for body in [
        r#"{"uuid":"no-uuid","to":{"uuid":"x"},"from":{"id":1}}"#.to_owned(),
        r#"{"uuid":5}"#.to_owned(),
        format!(r#"{{"uuid":["{USER}"]}}"#),
        format!(r#"{{"to":{{"uuid":"{USER}"}},"from":{{"id":1}},"msg":"hello"}}"#),
        format!(r#"{{"uuid":"{USER}","target_id":null}}"#),
        "{}".to_owned(),
    ] {
        let answer = publisher.request(ROOT, &body).await;
        assert_eq!((said(&answer), answer.header("connection")), ((400, "BAD REQUEST"), "keep-alive"), "{body}");
    }
    let good = format!(r#"{{"uuid":"{USER}","last":true}}"#);
    assert_eq!(publisher.request(ROOT, good).await.status, 200);
    assert_eq!(user.event().await, (USER.to_owned(), json!({ "last": true })));
    assert_eq!(gateway.stats().deliveries.get(), 1);
}

#[tokio::test]
async fn the_root_tells_the_status_to_who_may_publish() {
    let gateway = Gateway::start(&[LEGACY, ("TRUST_CIDR_LIST", "127.0.0.1")]).await;
    let answer = gateway.ask_producer("GET /", "").await;
    assert_eq!((said(&answer), answer.header("etag")), ((200, "OK"), r#"W/"2-nOO9QiTIwXgNtWtBJezz8kv3SLc""#));
    let known = "GET /\nIf-None-Match: W/\"2-nOO9QiTIwXgNtWtBJezz8kv3SLc\"";
    assert_eq!(said(&gateway.ask_producer(known, "").await), (304, ""));
    assert_eq!(said(&gateway.ask_producer("HEAD /", "").await), (200, ""));
    assert_eq!(said(&gateway.ask_producer("OPTIONS /", "").await), (200, "GET,HEAD,POST"));
    assert_eq!(gateway.ask_producer("DELETE /", "").await.status, 404);
    for head in ["GET /", ROOT] {
        let stranger = dial_from([127, 0, 0, 2].into(), gateway.producer()).await;
        assert_eq!(said(&Connection::over(stranger).request(head, "{").await), (403, "FORBIDDEN"), "{head}");
    }
    assert_eq!(gateway.ask_consumer("GET /", "").await.status, 404, "the consumer port has no such route");
}

#[tokio::test]
async fn without_it_the_old_route_is_404_and_the_old_body_400() {
    let gateway = Gateway::start(&[]).await;
    let mut user = gateway.subscribe(USER).await;
    let body = format!(r#"{{"uuid":"{USER}"}}"#);
    for head in ["GET /", "POST /"] {
        let answer = gateway.ask_producer(head, "").await;
        assert_eq!(answer.status, 404, "{head}");
        assert!(answer.body.contains(&format!("<pre>Cannot {head}</pre>")), "{}", answer.body);
    }
    assert_eq!(said(&gateway.post(&body).await), (400, "BAD REQUEST"));
    gateway.expect_silence(&mut user, USER).await;
}

/// The environment of a container of 0.3 in standalone mode, which set the ports of both modes.
#[tokio::test]
async fn the_one_port_of_standalone_mode_serves_backends_and_browsers() {
    let port = free_port().to_string();
    let mut settings = environment(&[
        LEGACY,
        ("STANDALONE_PORT", &port),
        ("PRODUCER_PORT", "2053"),
        ("CONSUMER_PORT", "8443"),
        ("IO_TOKEN_RENEW_INTERVAL", ""),
        ("LOGS_DIR", "/var/log/vrchats"),
    ]);
    for (name, old) in [
        ("TRUST_CIDR_LIST", "ALLOWED_IPS"),
        ("TRUST_ORIGIN_LIST", "ALLOWED_ORIGINS"),
        ("WEBSOCKET_AUTH_TOKEN_SECRET", "AUTH_TOKEN_SECRET"),
    ] {
        let text = settings.remove(name).unwrap();
        settings.insert(old.to_owned(), text);
    }
    for name in ["HTTP_PORT", "WEBSOCKET_PORT", "WEBSOCKET_AUTH"] {
        settings.remove(name);
    }
    let folder = tempfile::tempdir().unwrap();
    let command = roomcast(&folder, &[], &settings);
    let mut process = Process::spawn(folder, command);
    let ports = process.ports().await;
    assert_eq!((ports.producer.port().to_string(), ports.consumer), (port, ports.producer));

    let url = format!("http://{}", ports.consumer);
    let mut client = StockClients::one(&url, USER, &token_now(), &["polling", "websocket"]);
    client.connected(0).await;
    let mut backend = Connection::open(ports.producer).await;
    assert_eq!(said(&backend.request("GET /", "").await), (200, "OK"));
    let body = format!(r#"{{"uuid":"{USER}","msg":"hello"}}"#);
    assert_eq!(said(&backend.request(ROOT, body).await), (200, "OK"));
    assert_eq!(client.event(0).await, (USER.to_owned(), json!([{ "msg": "hello" }])));
    drop(client);
    process.stop().await;
}
