//! The paths and their answers, and the listener with real sockets.

use std::io::{Read as _, Write as _};
use std::net::TcpStream as StdTcpStream;
use std::thread;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use chrono::Utc;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use tower::ServiceExt;

use super::*;
use crate::types::Stats;

const TOKEN: &str = "correct horse battery staple";

fn admin(token: Option<&str>) -> Admin {
    let metrics = Metrics::new(Arc::new(Stats::default()), Utc::now());
    Admin { token: token.map(Secret::new), readiness: Readiness::default(), metrics }
}

async fn ask(admin: &Admin, method: &str, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
    let builder = Request::builder().method(method).uri(path);
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    let response = router(admin.clone()).oneshot(builder.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

async fn get_status(admin: &Admin, path: &str, headers: &[(&str, &str)]) -> StatusCode {
    ask(admin, "GET", path, headers).await.0
}

#[tokio::test]
async fn the_process_lives_whatever_its_phase() {
    let admin = admin(None);
    for path in ["/livez", "/health"] {
        assert_eq!(ask(&admin, "GET", path, &[]).await.2, "OK");
        let (status, _, body) = ask(&admin, "HEAD", path, &[]).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, ""));
    }
    admin.readiness.set_draining();
    assert_eq!(get_status(&admin, "/livez", &[]).await, StatusCode::OK);
}

#[tokio::test]
async fn readiness_follows_the_phase() {
    let admin = admin(None);
    let (status, _, body) = ask(&admin, "GET", "/readyz", &[]).await;
    assert_eq!((status, body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "starting"));
    admin.readiness.set_ready();
    let (status, _, body) = ask(&admin, "GET", "/readyz", &[]).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "OK"));
    admin.readiness.set_draining();
    let (status, _, body) = ask(&admin, "GET", "/readyz", &[]).await;
    assert_eq!((status, body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "draining"));
}

#[tokio::test]
async fn the_version_is_json() {
    let (status, headers, body) = ask(&admin(None), "GET", "/version", &[]).await;
    assert_eq!((status, &headers[CONTENT_TYPE]), (StatusCode::OK, &"application/json".parse().unwrap()));
    let version: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (version["name"].as_str(), version["version"].as_str()),
        (Some("roomcast"), Some(env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(version.get("commit").and_then(|commit| commit.as_str()), option_env!("ROOMCAST_COMMIT"));
}

#[tokio::test]
async fn metrics_are_openmetrics() {
    let (status, headers, body) = ask(&admin(None), "GET", "/metrics", &[]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[CONTENT_TYPE], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn other_paths_and_verbs_are_told_apart() {
    let admin = admin(None);
    for path in ["/", "/livez/", "/Livez", "/metrics/x", "/config"] {
        assert_eq!(get_status(&admin, path, &[]).await, StatusCode::NOT_FOUND, "{path}");
    }
    for (method, path) in [("POST", "/livez"), ("DELETE", "/metrics"), ("OPTIONS", "/version"), ("PUT", "/readyz")] {
        let (status, headers, _) = ask(&admin, method, path, &[]).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(headers["allow"], "GET,HEAD");
    }
}

#[tokio::test]
async fn with_a_token_all_but_the_probes_want_it() {
    let admin = admin(Some(TOKEN));
    admin.readiness.set_ready();
    let bearer = format!("Bearer {TOKEN}");
    for path in ["/livez", "/health", "/readyz"] {
        assert_eq!(get_status(&admin, path, &[]).await, StatusCode::OK, "{path}");
    }
    for path in ["/version", "/metrics", "/", "/no-such-path", "/livez/"] {
        let (status, headers, body) = ask(&admin, "GET", path, &[("authorization", "Bearer wrong")]).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(headers["www-authenticate"], "Bearer");
        assert!(!body.contains(TOKEN) && !body.contains("wrong"));
    }
    assert_eq!(get_status(&admin, "/metrics", &[("authorization", &bearer)]).await, StatusCode::OK);
    assert_eq!(get_status(&admin, "/", &[("authorization", &bearer)]).await, StatusCode::NOT_FOUND);
    let named = [("authorization", bearer.as_str()), ("host", "gateway.example")];
    assert_eq!(get_status(&admin, "/metrics", &named).await, StatusCode::OK, "the token makes names harmless");
}

#[tokio::test]
async fn without_a_token_a_name_in_host_is_refused() {
    let admin = admin(None);
    for host in ["localhost:18190", "127.0.0.1:18190", "[::1]:18190"] {
        assert_eq!(get_status(&admin, "/metrics", &[("host", host)]).await, StatusCode::OK, "{host}");
    }
    let rebound = [("host", "rebound.evil.example")];
    for path in ["/metrics", "/version", "/no-such-path"] {
        assert_eq!(get_status(&admin, path, &rebound).await, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(get_status(&admin, "/livez", &rebound).await, StatusCode::OK, "probes may use any name");
}

#[test]
fn no_token_shows_in_debug_output() {
    assert!(!format!("{:?}", admin(Some(TOKEN))).contains("horse"));
}

/// A listener on a free port, served on a thread of its own.
struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    thread: thread::JoinHandle<io::Result<()>>,
}

fn start() -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let cancelled = stop.clone();
    let thread = thread::spawn(move || run(listener, admin(None), cancelled));
    Running { address, stop, thread }
}

impl Running {
    /// A connection that has had one answer and stays open.
    fn connect_and_ask(&self) -> io::Result<StdTcpStream> {
        let mut stream = StdTcpStream::connect(self.address)?;
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
        let mut head = [0; 15];
        stream.read_exact(&mut head)?;
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        Ok(stream)
    }
}

#[test]
fn it_serves_until_it_is_told_to_stop_and_waits_for_no_idle_connection() {
    let running = start();
    let _idle = running.connect_and_ask().unwrap();
    running.stop.cancel();
    running.thread.join().unwrap().unwrap();
    assert!(StdTcpStream::connect(running.address).is_err(), "the port is free again");
}

#[test]
fn connections_beyond_the_cap_are_closed_and_come_back_when_one_ends() {
    let running = start();
    let mut open: Vec<_> = (0..CONNECTIONS_MAX).map(|_| running.connect_and_ask().unwrap()).collect();
    assert!(running.connect_and_ask().is_err(), "one too many");
    drop(open.pop());
    // The server hears of the end in its own time; each refused attempt is an answer of the server, so none is a wait.
    let again = (0..10_000).find_map(|_| running.connect_and_ask().ok());
    assert!(again.is_some(), "the place was not given back");
    running.stop.cancel();
    running.thread.join().unwrap().unwrap();
}

#[test]
fn only_http1_is_spoken() {
    let running = start();
    let mut stream = StdTcpStream::connect(running.address).unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", answer.escape_ascii());
    running.stop.cancel();
    running.thread.join().unwrap().unwrap();
}

/// What a client reads until the server closes, after it has sent `bytes`. Time passes when nothing else happens.
async fn read_until_closed(bytes: &[u8]) -> (Vec<u8>, Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let start = Instant::now();
    let client = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        (answer, start.elapsed())
    };
    tokio::select! {
        result = serve(listener, admin(None), std::future::pending()) => panic!("{result:?}"),
        read = client => read,
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_not_waited_for() {
    let (_, waited) = read_until_closed(b"GET /livez HTTP/1.1\r\nhost: local").await;
    assert!((HEAD_TIMEOUT..HEAD_TIMEOUT * 2).contains(&waited), "{waited:?}");
    let (answer, waited) = read_until_closed(b"").await;
    assert!(answer.is_empty() && waited < HEAD_TIMEOUT * 2, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_idles_is_closed() {
    let (answer, waited) = read_until_closed(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK") && waited < HEAD_TIMEOUT * 2, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_large_is_refused() {
    let head = format!("GET /livez HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(HEAD_BYTES_MAX));
    let (answer, _) = read_until_closed(head.as_bytes()).await;
    assert!(answer.starts_with(b"HTTP/1.1 431"), "{}", answer.escape_ascii());
}
