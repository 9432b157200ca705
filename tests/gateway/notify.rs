//! What the service manager hears at NOTIFY_SOCKET: readiness, reloads, the end, and that the workers live.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram as StdDatagram};
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use rustix::time::{ClockId, clock_gettime};
use tokio::net::{TcpStream, UnixDatagram};
use tokio::time::timeout;

use crate::harness::environment;
use crate::harness::http::PATIENCE;
use crate::harness::process::{Process, Shell, as_texts, ask_admin, roomcast, tls};

async fn message(manager: &UnixDatagram) -> Vec<String> {
    let mut buffer = vec![0; 4096];
    let length = timeout(PATIENCE, manager.recv(&mut buffer)).await.expect("a message").unwrap();
    let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn start(socket: &str, settings: &[(&str, &str)]) -> Process {
    let folder = tempfile::tempdir().unwrap();
    let settings = [&[("NOTIFY_SOCKET", socket)], settings].concat();
    let command = roomcast(&folder, &["serve"], &environment(&settings));
    Process::spawn(folder, command)
}

fn microseconds() -> i128 {
    let now = clock_gettime(ClockId::Monotonic);
    i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000
}

async fn reloading(manager: &UnixDatagram) {
    let earliest = microseconds();
    let told = message(manager).await;
    assert_eq!(told[0], "RELOADING=1");
    let time: i128 = told[1].strip_prefix("MONOTONIC_USEC=").expect("a time").parse().unwrap();
    assert!(time <= microseconds() && time > earliest - 60_000_000, "{told:?}");
}

fn replace_certificate(from: &Path, to: &Path) {
    for name in ["cert.pem", "key.pem"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[tokio::test]
async fn the_service_manager_hears_of_start_reloads_and_end_in_order() {
    let shell = Shell::new(&[]);
    let (used, renewed) = (shell.certificates("used").await, shell.certificates("renewed").await);
    let manager = UnixDatagram::bind(shell.path("notify")).unwrap();
    let settings = [&tls(&used)[..], &[("DRAIN_TIMEOUT_MS", "50000".to_owned())]].concat();
    let mut process = start(&shell.path_text("notify"), &as_texts(&settings));

    let ready = message(&manager).await;
    let ports = process.ports().await;
    assert_eq!(ask_admin(ports.admin, "/readyz").await.status, 200);
    for port in [ports.producer, ports.consumer] {
        TcpStream::connect(port).await.unwrap();
    }
    let serving = format!("STATUS=producer port {}, consumer port {}", ports.producer.port(), ports.consumer.port());
    assert_eq!(ready[0], "READY=1");
    assert!(ready[1].starts_with(&serving) && ready[1].ends_with(" sessions"), "{ready:?}");

    replace_certificate(&renewed, &used);
    process.signal(Signal::HUP);
    reloading(&manager).await;
    assert_eq!(message(&manager).await, ready);

    std::fs::write(used.join("key.pem"), "no key").unwrap();
    process.signal(Signal::HUP);
    reloading(&manager).await;
    let told = message(&manager).await;
    assert_eq!(told[0], "READY=1");
    assert!(
        told[1].starts_with(&serving) && told[1].contains("the certificates in use stay: PRIV_KEY_PATH"),
        "{told:?}"
    );

    process.signal(Signal::TERM);
    let stopping = message(&manager).await;
    assert_eq!(stopping, ["STOPPING=1", "STATUS=draining 0 sessions", "EXTEND_TIMEOUT_USEC=60000000"]);
    assert_eq!(process.end().await.code(), Some(0), "{:#?}", process.lines);
}

#[tokio::test]
async fn the_watchdog_is_told_at_an_abstract_socket_as_long_as_the_workers_answer() {
    let name = format!("roomcast-test-{}", std::process::id());
    let manager = StdDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    manager.set_nonblocking(true).unwrap();
    let manager = UnixDatagram::from_std(manager).unwrap();
    let workers = [("CLUSTER_MODE", "1"), ("CLUSTER_INSTANCES", "2")];
    let mut process = start(&format!("@{name}"), &[&[("WATCHDOG_USEC", "20000")], &workers[..]].concat());
    assert_eq!(message(&manager).await[0], "READY=1");
    for _ in 0..5 {
        assert_eq!(message(&manager).await, ["WATCHDOG=1"]);
    }
    process.stop().await;
}

#[tokio::test]
async fn a_watchdog_of_another_process_is_not_told() {
    let shell = Shell::new(&[]);
    let manager = UnixDatagram::bind(shell.path("notify")).unwrap();
    let watchdog = [("WATCHDOG_USEC", "2000"), ("WATCHDOG_PID", "1")];
    let mut process = start(&shell.path_text("notify"), &watchdog);
    assert_eq!(message(&manager).await[0], "READY=1");
    process.ports().await;
    process.stop().await;
    assert_eq!(message(&manager).await[0], "STOPPING=1");
    let more = timeout(Duration::from_millis(1), manager.recv(&mut [0; 64])).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn a_service_manager_that_does_not_listen_keeps_nobody_from_serving() {
    let mut process = start("/nobody/listens/here", &[]);
    let ports = process.ports().await;
    process.message("the service manager does not listen at NOTIFY_SOCKET").await;
    assert_eq!(ask_admin(ports.admin, "/readyz").await.status, 200);
    process.stop().await;
}
