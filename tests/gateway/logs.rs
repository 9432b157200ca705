//! The log as operators and their tools read it: vrchats' keys and words, no secret, no flood, no reader to wait for.

use std::time::Instant;

use roomcast::admission::token::daily_token;
use roomcast::types::Secret;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::http::Connection;
use crate::harness::process::{Ports, Process, Shell, ask_admin, post, token_now};
use crate::harness::socket::Socket;
use crate::harness::{ORIGIN, SECRET, environment};

const JSON: &str = "Content-Type: application/json";

fn messages(process: &Process) -> Vec<&str> {
    process.lines.iter().map(|line| line["message"].as_str().unwrap()).collect()
}

/// vrchats' keys, as its log readers parse them.
fn assert_line(line: &Value, pid: u32) {
    let level = line["level"].as_str().unwrap_or_default();
    assert!(["error", "warn", "info", "debug", "trace"].contains(&level), "{line}");
    assert!(!line["message"].as_str().unwrap_or_default().is_empty(), "{line}");
    assert_eq!(line["pid"], pid, "{line}");
    for key in ["serverStarted", "timestamp"] {
        let time = line[key].as_str().unwrap_or_else(|| panic!("no {key}: {line}"));
        assert!(time.len() == "2026-11-21T00:00:00.000Z".len() && time.ends_with('Z'), "{line}");
    }
    assert!(line["timestamp"].as_str() >= line["serverStarted"].as_str(), "{line}");
}

#[tokio::test]
async fn lines_have_the_keys_and_words_of_vrchats() {
    let (mut process, ports) = Process::serving(&[("LOG_LEVEL", "trace")]).await;
    let pid = process.pid();
    let auth = format!("40{}", json!({ "token": token_now() }));
    let mut socket = Socket::open(ports.consumer, "&uniqueUserId=room-1", &[("Origin", ORIGIN)]).await.unwrap();
    socket.send(&auth).await;
    let connected = process.message("connected").await;
    assert_eq!(connected["level"], "info");
    assert_eq!(connected["uniqueUserId"], "room-1");
    assert_eq!(connected["origin"], ORIGIN);
    assert_eq!(connected["remoteIp"], "127.0.0.1");

    let wrong = json!({ "token": "not-the-token" });
    let (_, answer) = Socket::connect(ports.consumer, "&uniqueUserId=room-2", wrong).await;
    assert_eq!(answer, r#"44{"message":"invalid token","data":{"code":"invalid_token"}}"#);
    let refused = process.message("auth token error").await;
    assert_eq!((&refused["uniqueUserId"], &refused["remoteIp"]), (&json!("room-2"), &json!("127.0.0.1")));

    assert_eq!(post(ports.producer, r#"{"target_id":7}"#).await.status, 400);
    assert_eq!(process.message("Invalid req.body.id").await["remoteIp"], "127.0.0.1");
    assert_eq!(post(ports.producer, "no json").await.status, 400);
    assert_eq!(process.message("req/res error").await["cause"], "invalid_body");
    assert_eq!(post(ports.producer, r#"{"target_id":"room-1"}"#).await.status, 200);
    process.message("published").await;

    drop(socket);
    process.stop().await;
    process.lines.iter().for_each(|line| assert_line(line, pid));
    assert_eq!(messages(&process).iter().filter(|message| message.starts_with("Listening...")).count(), 3);
}

#[tokio::test]
async fn v_26_refused_publishers_are_told_by_their_address() {
    let (mut process, ports) = Process::serving(&[("TRUST_CIDR_LIST", "192.0.2.0/24")]).await;
    assert_eq!(post(ports.producer, r#"{"target_id":"room-1"}"#).await.status, 403);
    assert_eq!(process.message("untrusted ip").await["remoteIp"], "127.0.0.1");
    process.stop().await;

    let behind = [("USE_PROXY", "1"), ("TRUST_PROXY_LIST", "127.0.0.1"), ("TRUST_CIDR_LIST", "192.0.2.0/24")];
    let (mut process, ports) = Process::serving(&behind).await;
    for (address, status, message) in [
        ("192.0.2.7", 200, None),
        ("203.0.113.9", 403, Some("untrusted proxy_ip or ip")),
        ("x", 403, Some("invalid proxy_ip or ip")),
    ] {
        let head = format!("POST /publish\n{JSON}\nX-Forwarded-For: {address}");
        let answer = Connection::open(ports.producer).await.request(&head, r#"{"target_id":"room-1"}"#).await;
        assert_eq!(answer.status, status, "{address}");
        if let Some(message) = message {
            let line = process.message(message).await;
            assert_eq!(line["remoteIp"], "127.0.0.1");
            let forwarded = if address == "x" { Value::Null } else { json!(address) };
            assert_eq!(line["forwardedIp"], forwarded, "{line}");
        }
    }
    process.stop().await;
}

#[tokio::test]
async fn limits_that_act_are_told() {
    let limits = [("RATE_LIMIT", "1"), ("RATE_LIMIT_PER_IP", "1"), ("PUBLISH_RATE_LIMIT", "1")];
    let (mut process, ports) = Process::serving(&limits).await;
    let mut connection = Connection::open(ports.consumer).await;
    let refused = loop {
        let answer = connection.request("GET /socket.io/?EIO=4&transport=polling", "").await;
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(refused.status, 429);
    let line = process.message("rate limit block").await;
    assert_eq!((&line["cause"], &line["remoteIp"]), (&json!("address_rate"), &json!("127.0.0.1")));

    let mut publisher = Connection::open(ports.producer).await;
    while publisher.request(&format!("POST /publish\n{JSON}"), r#"{"target_id":"room-1"}"#).await.status == 200 {}
    assert_eq!(process.message("rate limit block").await["remoteIp"], "127.0.0.1");
    drop((connection, publisher));
    process.stop().await;
}

/// A JWT whose signature is made with `key`.
fn jwt(key: &str) -> String {
    use jsonwebtoken::{EncodingKey, Header};
    let exp = chrono::Utc::now().timestamp() + 600;
    let claims = json!({ "sub": "room-1", "exp": exp });
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

/// Shows a token over a websocket and over polling, and tells both answers.
async fn show(ports: Ports, token: &str) -> [String; 2] {
    let auth = json!({ "token": token });
    let (_socket, websocket) = Socket::connect(ports.consumer, "&uniqueUserId=room-1", auth.clone()).await;
    let mut connection = Connection::open(ports.consumer).await;
    let path = "/socket.io/?EIO=4&transport=polling";
    let open = connection.request(&format!("GET {path}&uniqueUserId=room-1"), "").await.body;
    let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
    let path = format!("{path}&sid={}", open["sid"].as_str().unwrap());
    connection.request(&format!("POST {path}\nContent-Type: text/plain"), format!("40{auth}")).await;
    let polling = loop {
        let body = connection.request(&format!("GET {path}"), "").await.body;
        if let Some(packet) = body.split('\u{1e}').find(|packet| *packet != "2") {
            break packet.to_owned();
        }
    };
    [websocket, polling]
}

const JWT_KEY: &str = "jwt-key-of-this-test-0123456789";
const PREVIOUS: &str = "previous-secret-of-this-test";
const ADMIN_TOKEN: &str = "admin-token-of-this-test-42";
const BODY: &str = "body-text-of-this-test";

/// Shows right and wrong tokens of every kind to a gateway that has the secrets above, and asserts that neither its
/// log nor its standard error holds any of them.
async fn says_no_secret(mut process: Process, level: &str) {
    let ports = process.ports().await;
    let today = chrono::Utc::now().date_naive();
    let right = [token_now(), daily_token(&Secret::new(PREVIOUS), today), jwt(JWT_KEY)];
    let wrong = [token_now().to_uppercase(), daily_token(&Secret::new("another"), today), jwt("another-key")];
    for token in &right {
        show(ports, token).await.iter().for_each(|answer| assert!(answer.starts_with("40{"), "{answer}"));
    }
    for token in &wrong {
        show(ports, token)
            .await
            .iter()
            .for_each(|answer| assert_eq!(answer, r#"44{"message":"invalid token","data":{"code":"invalid_token"}}"#));
    }
    let body = format!(r#"{{"target_id":"room-1","text":"{BODY}"}}"#);
    assert_eq!(post(ports.producer, &body).await.status, 200);
    assert_eq!(post(ports.producer, &body[1..]).await.status, 400);
    assert_eq!(ask_admin(ports.admin, "/metrics").await.status, 401);
    for token in [ADMIN_TOKEN, "wrong-admin-token"] {
        let mut admin = Connection::open(ports.admin).await;
        let answer = admin.request(&format!("GET /metrics\nAuthorization: Bearer {token}"), "").await;
        assert_eq!(answer.status, if token == ADMIN_TOKEN { 200 } else { 401 });
    }
    process.stop().await;

    let log = serde_json::to_string(&process.lines).unwrap();
    let secrets = [SECRET, PREVIOUS, JWT_KEY, ADMIN_TOKEN, "wrong-admin-token"].map(str::to_owned);
    for secret in right.iter().chain(&wrong).chain(&secrets) {
        // The beginning is enough to know it by; of a JWT the signature is the secret part, too.
        for part in secret.split('.') {
            let beginning = part.get(..part.len().min(12)).unwrap();
            assert!(!log.contains(beginning), "{beginning} of {secret} at {level}: {log}");
        }
    }
    assert_eq!(log.contains(BODY), level == "trace", "bodies are for trace alone: {log}");
}

#[tokio::test]
async fn v_15_no_level_tells_a_secret_from_the_environment() {
    let secrets = [
        ("WEBSOCKET_AUTH", "token,jwt"),
        ("WEBSOCKET_AUTH_TOKEN_SECRET_PREVIOUS", PREVIOUS),
        ("JWT_KEY", JWT_KEY),
        ("ADMIN_TOKEN", ADMIN_TOKEN),
    ];
    for (level, setting) in [("trace", ("LOG_LEVEL", "trace")), ("debug", ("ENABLE_DEBUG", "1")), ("info", ("X", ""))] {
        let settings: Vec<_> = secrets.iter().copied().chain([setting]).collect();
        says_no_secret(Process::start(&settings), level).await;
    }
}

#[tokio::test]
async fn v_15_no_level_tells_a_secret_from_flags_or_files() {
    let shell = Shell::new(&[]);
    let key = shell.write("jwt-key", &format!("{JWT_KEY}\n"));
    let mut settings = environment(&[("LOG_LEVEL", "trace"), ("WEBSOCKET_AUTH", "token,jwt")]);
    settings.remove("WEBSOCKET_AUTH_TOKEN_SECRET");
    settings.insert("JWT_KEY_FILE".to_owned(), key);
    let folder = tempfile::tempdir().unwrap();
    let line = format!("WEBSOCKET_AUTH_TOKEN_SECRET_PREVIOUS='{PREVIOUS}' # of yesterday\n");
    std::fs::write(folder.path().join(".env"), line).unwrap();
    let flags = ["--websocket-auth-token-secret", SECRET, "--admin-token", ADMIN_TOKEN];
    let command = crate::harness::process::roomcast(&folder, &flags, &settings);
    says_no_secret(Process::spawn(folder, command), "trace").await;
}

#[tokio::test]
async fn a_flood_is_limited_and_counted() {
    const REFUSALS: usize = 1000;
    let (mut process, ports) = Process::serving(&[("TRUST_CIDR_LIST", "192.0.2.0/24")]).await;
    let began = Instant::now();
    let mut connection = Connection::open(ports.producer).await;
    for _ in 0..REFUSALS {
        assert_eq!(connection.request("GET /status", "").await.status, 403);
    }
    let seconds = began.elapsed().as_secs() as usize + 1;
    let metrics = ask_admin(ports.admin, "/metrics").await.body;
    drop(connection);
    process.stop().await;
    let told = messages(&process).iter().filter(|message| **message == "untrusted ip").count();
    assert!(told <= 100 + 50 * seconds, "{told} lines in {seconds} s");
    let held_back = format!("roomcast_log_lines_dropped_total {}\n", REFUSALS - told);
    assert!(metrics.contains(&held_back), "{told} told: {metrics}");
    assert!(
        metrics.contains(&format!("roomcast_refusals_total{{cause=\"untrusted_address\"}} {REFUSALS}\n")),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_reader_that_stalls_stops_nothing() {
    // The log is not read from here on: the pipe holds 64 KiB, and each line of this level is about a kibibyte.
    let (mut process, ports) = Process::serving(&[("LOG_LEVEL", "trace")]).await;
    let auth = json!({ "token": token_now() });
    let (mut subscriber, _) = Socket::connect(ports.consumer, "&uniqueUserId=room-1", auth).await;
    let mut connection = Connection::open(ports.producer).await;
    let filler = "x".repeat(2000);
    for number in 0..1200 {
        let body = json!({ "target_id": "room-1", "number": number, "filler": filler }).to_string();
        assert_eq!(connection.request(&format!("POST /publish\n{JSON}"), body).await.status, 200);
        assert_eq!(subscriber.event().await.1["number"], number);
    }
    assert_eq!(ask_admin(ports.admin, "/readyz").await.status, 200);
    drop((connection, subscriber));
    process.signal(Signal::TERM);
    assert_eq!(process.wait().await.code(), Some(0), "the end does not wait for the reader either");
}
