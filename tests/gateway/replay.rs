//! Attacks that were published against programs of this kind, each replayed by the number it was given.
//!
//! Some cannot be what they were. CVE-2026-45736, memory that was not written to, takes `unsafe`, which the crate forbids;
//! what the gateway echoes is compared all the same. CVE-2023-44487, RUSTSEC-2024-0332 and GHSA-8r5v-vm4m-4g25 are of
//! HTTP/2, which is not spoken: that is what is shown. CVE-2024-11738 is of a rustls `Acceptor` that is not used;
//! CVE-2024-32650, of a loop in rustls' `complete_io`, is sent to the loop in `src/listen/tls/stream.rs`. The defaults of tungstenite and the defects of engineioxide
//! are of crates that the gateway does without; their inputs are sent to its own engine. Deadlines, such as hyper's for a
//! head, are tested on a paused clock in `src/listen`, and in real time in `hostile::slow`; locks whose holder panicked,
//! beside the locks in `src/hub`, `src/admission/quota` and `src/ops/logs/flood`.

mod engine;
mod http;
mod process;
mod tls;
mod websocket;

use std::future::Future;
use std::time::{Duration, Instant};

use crate::harness::process::{Ports, Process, ask_admin};

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket&uniqueUserId=room-2";

/// The bytes of a websocket's handshake, with more header lines, each with its CRLF.
fn handshake(path: &str, lines: &[u8]) -> Vec<u8> {
    [b"GET ", path.as_bytes(), b" HTTP/1.1\r\nHost: a\r\n", UPGRADE.as_bytes(), lines, b"\r\n"].concat()
}

/// What a process used while `attack` went on: seconds of CPU, and bytes that its resident memory grew by.
async fn cost(ports: Ports, attack: impl Future<Output = ()>) -> (f64, f64) {
    let before = usage(ports).await;
    attack.await;
    let after = usage(ports).await;
    (after.0 - before.0, after.1 - before.1)
}

async fn usage(ports: Ports) -> (f64, f64) {
    let metrics = ask_admin(ports.admin, "/metrics").await.body;
    let value = |name: &str| -> f64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().unwrap()
    };
    (value("process_cpu_seconds_total"), value("process_resident_memory_bytes"))
}

/// Asserts that an attack was over soon, on a busy machine too.
fn assert_soon(begun: Instant) {
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// Ends a process that should have nobody left, and looks that it served to the end.
async fn served_to_the_end(mut process: Process) {
    process.stop().await;
    let is_defect = |line: &serde_json::Value| line["level"] == "error";
    assert!(!process.lines.iter().any(is_defect), "{:#?}", process.lines);
}
