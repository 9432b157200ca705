//! The life of the process: its limit of open files, signals, the drain and its hard end, and too many connections.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use tokio::net::TcpStream;

use crate::harness::environment;
use crate::harness::http::{Connection, PATIENCE};
use crate::harness::node::StockClients;
use crate::harness::process::{
    Ports, Process, Shell, admin_get, as_texts, ask_admin, free_port, post, roomcast_after, tls, token_now,
};
use crate::harness::socket::Socket;

const PUBLISH: &str = "POST /publish\nContent-Type: application/json";

async fn subscribe(ports: Ports, room: &str) -> Socket {
    let query = format!("&uniqueUserId={room}");
    let (socket, answer) = Socket::connect(ports.consumer, &query, json!({ "token": token_now() })).await;
    assert!(answer.starts_with("40{"), "{answer}");
    socket
}

/// Waits until the gateway closes the transport, which Engine.IO announces by its packet `1`. A Socket.IO DISCONNECT
/// (`41`) would keep the stock client from coming back.
async fn closed_as_a_transport(socket: &mut Socket) {
    assert_eq!(socket.packet().await.as_deref().unwrap_or("1"), "1");
    assert_eq!(socket.packet().await, None);
}

/// A publish to `room` that the gateway has begun to read, and whose last byte is still to come.
async fn half_a_publish(ports: Ports, room: &str) -> Connection {
    let mut connection = Connection::open(ports.producer).await;
    let body = format!(r#"{{"target_id":"{room}","n":1}}"#);
    let length = body.len();
    let head = format!(
        "{}\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}",
        PUBLISH.replace('\n', " HTTP/1.1\r\n")
    );
    connection.send(format!("{head}\r\n\r\n")).await;
    assert_eq!(connection.answer(false).await.map(|answer| answer.status), Some(100));
    connection.send(body.strip_suffix('}').unwrap()).await;
    connection
}

/// Waits until `/readyz` says that the gateway is on its way out.
async fn draining(ports: Ports) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask_admin(ports.admin, "/readyz").await;
        if answer.status == 503 {
            assert_eq!(answer.body, "draining");
            return;
        }
        assert!(Instant::now() < deadline, "still ready: {answer:?}");
    }
}

/// Waits until a port takes no new connection.
async fn no_new_connection(addr: SocketAddr) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(addr).await.is_ok() {
        assert!(Instant::now() < deadline, "{addr} still takes connections");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_soft_limit_of_open_files_is_raised_to_the_hard_one_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let command = roomcast_after("ulimit -n 1000; ulimit -S -n 256", &folder, &environment(&[]));
    let mut process = Process::spawn(folder, command);
    let starting = process.message("starting").await;
    assert_eq!(starting["open_files"], 1000, "{starting}");
    let sessions_max = starting["sessions_max"].as_u64().expect("how many sessions fit");
    assert!((1..1000).contains(&sessions_max), "{starting}");
    let warned = process.lines.iter().any(|line| line["message"].as_str().unwrap().contains("only 1000 files"));
    assert!(warned, "{:#?}", process.lines);
    let ports = process.ports().await;
    let metrics = ask_admin(ports.admin, "/metrics").await.body;
    assert!(metrics.contains("process_max_fds 1000\n"), "{metrics}");
    process.stop().await;
}

async fn a_signal_drains(signal: Signal, workers: &str) {
    let (mut process, ports) = Process::serving(&[("CLUSTER_MODE", "1"), ("CLUSTER_INSTANCES", workers)]).await;
    let url = format!("http://{}", ports.consumer);
    let mut websocket = StockClients::one(&url, "room-1", &token_now(), &["websocket"]);
    let mut polling = StockClients::one(&url, "room-1", &token_now(), &["polling"]);
    websocket.connected(0).await;
    polling.connected(0).await;
    let mut raw = subscribe(ports, "room-1").await;
    let mut kept = Connection::open(ports.consumer).await;
    assert_eq!(kept.request("GET /", "").await.status, 404);
    let mut idle = Connection::open(ports.producer).await;
    assert_eq!(idle.request("GET /status", "").await.status, 200);
    let mut under_way = half_a_publish(ports, "room-1").await;

    process.signal(signal);
    process.message("stopping").await;
    draining(ports).await;
    assert_eq!(ask_admin(ports.admin, "/livez").await.status, 200);
    no_new_connection(ports.producer).await;
    no_new_connection(ports.consumer).await;
    let refused = kept.request("GET /socket.io/?EIO=4&transport=polling", "").await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0, "{refused:?}");
    assert!(idle.closed().await, "an idle publisher holds up no drain");

    under_way.send("}").await;
    let answer = under_way.answer(false).await.expect("the request under way is finished");
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
    assert!(under_way.closed().await);
    assert_eq!(raw.event().await, ("room-1".to_owned(), json!({ "n": 1 })));
    closed_as_a_transport(&mut raw).await;
    assert_eq!(websocket.event(0).await.1, json!([{ "n": 1 }]));
    for client in [&mut websocket, &mut polling] {
        let line = client.line(|line| line.get("disconnected").is_some()).await;
        let reason = line["disconnected"].as_str().unwrap();
        assert!(reason.starts_with("transport "), "not by the gateway's word, but by its going: {line}");
        assert_eq!(line["active"], true, "the client must come back by itself: {line}");
    }
    assert_eq!(process.end().await.code(), Some(0), "{:#?}", process.lines);
    assert_eq!(process.lines.last().unwrap()["message"], "stopped");
}

#[tokio::test]
async fn v_34_sigterm_finishes_requests_and_closes_transports() {
    a_signal_drains(Signal::TERM, "2").await;
}

#[tokio::test]
async fn v_34_sigint_does_as_sigterm() {
    a_signal_drains(Signal::INT, "1").await;
}

/// Opens a polling session and joins `room`.
async fn polling_session(ports: Ports, room: &str) -> (Connection, String) {
    let mut connection = Connection::open(ports.consumer).await;
    let path = format!("/socket.io/?EIO=4&transport=polling&uniqueUserId={room}");
    let open = connection.request(&format!("GET {path}"), "").await;
    let open: serde_json::Value = serde_json::from_str(open.body.strip_prefix('0').unwrap()).unwrap();
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", open["sid"].as_str().unwrap());
    let connect = format!("40{}", json!({ "token": token_now() }));
    let head = format!("POST {path}\nContent-Type: text/plain;charset=UTF-8");
    assert_eq!(connection.request(&head, connect).await.body, "ok");
    // No ping comes before the interval is over: the next poll waits.
    let answer = connection.request(&format!("GET {path}"), "").await;
    assert!(answer.status == 200 && answer.body.starts_with("40{"), "{answer:?}");
    (connection, path)
}

#[tokio::test]
async fn a_poll_that_waits_is_answered_by_the_drain() {
    let (mut process, ports) = Process::serving(&[]).await;
    let (mut connection, path) = polling_session(ports, "room-1").await;
    let mut under_way = half_a_publish(ports, "room-1").await;
    connection.send_request(&format!("GET {path}"), "").await;
    process.signal(Signal::TERM);
    draining(ports).await;
    no_new_connection(ports.consumer).await;
    under_way.send("}").await;
    assert_eq!(under_way.answer(false).await.map(|answer| answer.status), Some(200));
    let answer = connection.answer(false).await.expect("the answer to the poll");
    let packets: Vec<_> = answer.body.split('\u{1e}').collect();
    assert_eq!(packets.first(), Some(&r#"42["room-1",{"n":1}]"#));
    assert!(!packets.contains(&"41"), "no DISCONNECT: {packets:?}");
    assert!(connection.closed().await);
    assert_eq!(process.end().await.code(), Some(0), "{:#?}", process.lines);
}

#[tokio::test]
async fn who_never_connects_holds_up_no_drain() {
    let (mut process, ports) = Process::serving(&[]).await;
    let _silent = [Connection::open(ports.producer).await, Connection::open(ports.consumer).await];
    let _websocket = Socket::open(ports.consumer, "", &[]).await.unwrap();
    let mut polling = Connection::open(ports.consumer).await;
    let open = polling.request("GET /socket.io/?EIO=4&transport=polling", "").await.body;
    let open: serde_json::Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", open["sid"].as_str().unwrap());
    polling.send_request(&format!("GET {path}"), "").await;
    let began = Instant::now();
    process.signal(Signal::TERM);
    assert_eq!(process.end().await.code(), Some(0), "{:#?}", process.lines);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let (mut process, ports) = Process::serving(&[]).await;
    let _under_way = half_a_publish(ports, "room-1").await;
    process.signal(Signal::TERM);
    process.message("stopping").await;
    draining(ports).await;
    let asked = Instant::now();
    process.signal(Signal::TERM);
    assert_eq!(process.end().await.code(), Some(70), "{:#?}", process.lines);
    assert!(asked.elapsed() < Duration::from_secs(5), "not after the drain's own time");
    assert_eq!(process.lines.last().unwrap()["level"], "error");
}

#[tokio::test]
async fn a_publisher_that_stops_in_the_middle_keeps_nobody_from_an_orderly_end() {
    let (mut process, ports) = Process::serving(&[("DRAIN_TIMEOUT_MS", "1000")]).await;
    let _under_way = half_a_publish(ports, "room-1").await;
    let mut raw = subscribe(ports, "room-1").await;
    process.signal(Signal::TERM);
    closed_as_a_transport(&mut raw).await;
    assert_eq!(process.end().await.code(), Some(0), "{:#?}", process.lines);
}

#[tokio::test]
async fn a_drain_has_a_hard_end() {
    let (mut process, ports) = Process::serving(&[("DRAIN_TIMEOUT_MS", "400")]).await;
    let _who_never_reads = subscribe(ports, "room-1").await;
    let body = json!({ "target_id": "room-1", "filling": "x".repeat(100_000) }).to_string();
    let mut publisher = Connection::open(ports.producer).await;
    for _ in 0..200 {
        assert_eq!(publisher.request(PUBLISH, &body).await.status, 200);
    }
    process.signal(Signal::TERM);
    assert_eq!(process.end().await.code(), Some(70), "{:#?}", process.lines);
}

#[tokio::test]
async fn one_port_finishes_a_publish_too_and_refuses_a_later_one() {
    let port = free_port().to_string();
    let (mut process, ports) = Process::serving(&[("HTTP_PORT", &port), ("WEBSOCKET_PORT", &port)]).await;
    let mut subscriber = subscribe(ports, "room-1").await;
    let mut idle = Connection::open(ports.producer).await;
    assert_eq!(idle.request("GET /status", "").await.status, 200);
    let mut under_way = half_a_publish(ports, "room-1").await;
    process.signal(Signal::TERM);
    draining(ports).await;
    let late = idle.request(PUBLISH, r#"{"target_id":"room-1","n":2}"#).await;
    assert_eq!((late.status, late.header("retry-after")), (503, "1"));
    under_way.send("}").await;
    assert_eq!(under_way.answer(false).await.map(|answer| answer.status), Some(200));
    assert!(subscriber.packet().await.unwrap().starts_with("42[\"room-1\""));
    closed_as_a_transport(&mut subscriber).await;
    assert_eq!(process.end().await.code(), Some(0), "{:#?}", process.lines);
    assert!(process.lines.iter().all(|line| line["level"] != "error"), "{:#?}", process.lines);
}

#[tokio::test]
async fn sighup_reads_the_certificates_again() {
    let shell = Shell::new(&[]);
    let [first, second] = [shell.certificates("first").await, shell.certificates("second").await];
    let used = shell.path("used");
    let put = |from: &std::path::Path| {
        std::fs::create_dir_all(&used).unwrap();
        for name in ["cert.pem", "key.pem"] {
            std::fs::copy(from.join(name), used.join(name)).unwrap();
        }
    };
    put(&first);
    let (mut process, ports) = Process::serving(&as_texts(&tls(&used))).await;
    let url = format!("https://localhost:{}", ports.producer.port());
    let publish = async |ca: &std::path::Path| {
        let ca = ca.join("ca.pem");
        let options = ["publish", "--url", &url, "--target", "room-1", "--cacert", ca.to_str().unwrap()];
        shell.run(&options).await.code
    };
    let consumer = format!("https://localhost:{}", ports.consumer.port());
    let ca = std::fs::read_to_string(first.join("ca.pem")).unwrap();
    let mut client = StockClients::start(&json!({
        "url": consumer, "rooms": ["room-1"], "token": token_now(), "transports": ["websocket"], "ca": ca,
    }));
    client.connected(0).await;
    assert_eq!((publish(&first).await, publish(&second).await), (0, 1));

    std::fs::write(used.join("cert.pem"), "no certificate").unwrap();
    process.signal(Signal::HUP);
    let line = process.message("the certificates in use stay").await;
    assert!(line["message"].as_str().unwrap().contains("PUB_KEY_PATH"), "{line}");
    assert_eq!(publish(&first).await, 0, "a bad certificate changes nothing");

    put(&second);
    process.signal(Signal::HUP);
    process.message("certificates read again").await;
    assert_eq!((publish(&first).await, publish(&second).await), (1, 0));
    for _ in 0..3 {
        assert_eq!(client.event(0).await.1, json!([{}]), "connections that are open stay so");
    }
    assert!(client.unread().iter().all(|line| line.get("disconnected").is_none()), "{:?}", client.unread());
    process.stop().await;
}

/// The value of a metric without labels, asked over a connection that is already there.
async fn metric(admin: &mut Connection, name: &str) -> f64 {
    let metrics = admin_get(admin, "/metrics").await.body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().unwrap()
}

#[tokio::test]
async fn running_out_of_files_passes() {
    let folder = tempfile::tempdir().unwrap();
    let command = roomcast_after("ulimit -n 40", &folder, &environment(&[]));
    let mut process = Process::spawn(folder, command);
    let ports = process.ports().await;
    let mut subscriber = subscribe(ports, "room-1").await;
    let mut publisher = Connection::open(ports.producer).await;
    assert_eq!(publisher.request(PUBLISH, r#"{"target_id":"room-1","n":1}"#).await.status, 200);
    let mut admin = Connection::open(ports.admin).await;
    let cpu_before = metric(&mut admin, "process_cpu_seconds_total").await;

    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(TcpStream::connect(ports.producer).await.unwrap());
    }
    let began = Instant::now();
    while metric(&mut admin, "roomcast_accept_errors_total").await < 6.0 {
        assert!(began.elapsed() < PATIENCE);
        crowd.push(TcpStream::connect(ports.consumer).await.unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let elapsed = began.elapsed().as_secs_f64();
    let cpu = metric(&mut admin, "process_cpu_seconds_total").await - cpu_before;
    assert!(cpu < 0.25 + elapsed / 4.0, "{cpu} s of CPU in {elapsed} s");
    assert_eq!(publisher.request(PUBLISH, r#"{"target_id":"room-1","n":2}"#).await.status, 200, "who is in is served");
    assert_eq!(subscriber.event().await.1, json!({ "n": 1 }));
    assert_eq!(subscriber.event().await.1, json!({ "n": 2 }));

    drop(crowd);
    assert_eq!(post(ports.producer, r#"{"target_id":"room-1","n":3}"#).await.status, 200);
    assert_eq!(subscriber.event().await.1, json!({ "n": 3 }));
    let mut newcomer = subscribe(ports, "room-1").await;
    assert_eq!(post(ports.producer, r#"{"target_id":"room-1","n":4}"#).await.status, 200);
    assert_eq!(newcomer.event().await.1, json!({ "n": 4 }));
    drop((newcomer, subscriber, publisher, admin));
    process.stop().await;
    let complaints = process.lines.iter().filter(|line| line["message"] == "cannot accept connections").count();
    assert!(complaints < 20, "{complaints} lines");
}

#[tokio::test]
async fn sockets_over_the_limit_are_closed_and_the_others_stay() {
    let (mut process, ports) = Process::serving(&[("MAX_CONNECTIONS", "1")]).await;
    let mut subscriber = subscribe(ports, "room-1").await;
    let refused = Socket::open(ports.consumer, "&uniqueUserId=room-1", &[]).await.err();
    assert_eq!(refused, Some(503));
    let mut crowd = Vec::new();
    for _ in 0..40 {
        crowd.push(Connection::open(ports.consumer).await);
    }
    assert!(crowd.last_mut().unwrap().closed().await, "one too many is accepted and closed");
    process.message("too many sockets").await;
    assert_eq!(post(ports.producer, r#"{"target_id":"room-1"}"#).await.status, 200);
    assert_eq!(subscriber.event().await, ("room-1".to_owned(), json!({})));
    drop((crowd, subscriber));
    process.stop().await;
}
