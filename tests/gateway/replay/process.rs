//! Those that wear a process out: files, memory, sessions that nobody comes back to.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::json;
use tokio::net::TcpStream;

use super::{WEBSOCKET, assert_soon, cost, handshake, served_to_the_end};
use crate::harness::Gateway;
use crate::harness::http::{Connection, PATIENCE};
use crate::harness::polling::Polling;
use crate::harness::process::{Process, admin_get};
use crate::harness::socket::Socket;
use crate::hostile::{is_unharmed, with_witness};

/// Lets the process open so many files; the hard limit stays. Returns how many it could open before.
fn limit_files(pid: u32, files: u64) -> u64 {
    let pid = Pid::from_raw(pid.try_into().unwrap());
    let maximum = getrlimit(Resource::Nofile).maximum;
    prlimit(pid, Resource::Nofile, Rlimit { current: Some(files), maximum }).unwrap().current.unwrap()
}

async fn metric(admin: &mut Connection, name: &str) -> f64 {
    let metrics = admin_get(admin, "/metrics").await.body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().unwrap()
}

/// Accept loops that met EMFILE went round for ever (tokio#3529), died (async-std#658) or slept for good (payjoin#1608).
#[tokio::test]
async fn emfile_tokio_3529_payjoin_1608_accepting_resumes_within_two_seconds() {
    let (process, ports) = Process::serving(&[("WEBSOCKET_AUTH", "0")]).await;
    let mut admin = Connection::open(ports.admin).await;
    let mut publisher = Connection::open(ports.producer).await;
    assert_eq!(publisher.request("GET /status", "").await.status, 200);
    let (cpu, errors) = ("process_cpu_seconds_total", "roomcast_accept_errors_total");
    let used = metric(&mut admin, cpu).await;
    let open = std::fs::read_dir(format!("/proc/{}/fd", process.pid())).unwrap().count();
    let files = limit_files(process.pid(), open.try_into().unwrap());
    let begun = Instant::now();
    let mut waiting = Vec::new();
    for addr in [ports.consumer, ports.producer] {
        waiting.push(Connection::over(TcpStream::connect(addr).await.unwrap()));
    }
    while metric(&mut admin, errors).await < 5.0 {
        assert!(begun.elapsed() < PATIENCE, "no file is missed");
        waiting.push(Connection::over(TcpStream::connect(ports.consumer).await.unwrap()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(publisher.request("GET /status", "").await.status, 200, "who is in is served");
    let used = metric(&mut admin, cpu).await - used;
    assert!(used < 0.25 + begun.elapsed().as_secs_f64() / 4.0, "{used} s of CPU in {:?}", begun.elapsed());
    limit_files(process.pid(), files);
    let raised = Instant::now();
    for connection in &mut waiting {
        assert_eq!(connection.request("GET /nothing", "").await.status, 404);
    }
    // Two seconds, and one for a machine that is busy.
    assert!(raised.elapsed() < Duration::from_secs(3), "{:?}", raised.elapsed());
    drop((admin, publisher, waiting));
    served_to_the_end(process).await;
}

/// tungstenite reads into 128 KiB for each websocket, which are taken at once, and writes without a bound.
#[tokio::test]
async fn tungstenite_defaults_an_idle_websocket_holds_no_large_buffer() {
    const WEBSOCKETS: u32 = 200;
    let (process, ports) = Process::serving(&[("WEBSOCKET_AUTH", "0")]).await;
    let mut idle = Vec::new();
    let open = async || Socket::connect(ports.consumer, "&uniqueUserId=room-1", json!({})).await.0;
    for _ in 0..20 {
        idle.push(open().await);
    }
    let (_, grown) = cost(ports, async {
        for _ in 0..WEBSOCKETS {
            idle.push(open().await);
        }
    })
    .await;
    assert!(grown < f64::from(WEBSOCKETS * (32 << 10)), "{} bytes each", grown / f64::from(WEBSOCKETS));
    drop(idle);
    served_to_the_end(process).await;
}

/// engineioxide kept them: 19 GiB in twenty days.
#[tokio::test]
async fn socketioxide_731_sessions_whose_upgrade_is_never_finished() {
    let gateway = Gateway::start(&[("WEBSOCKET_AUTH", "0"), ("PING_INTERVAL", "300"), ("PING_TIMEOUT", "200")]).await;
    for probes in [false, true] {
        for _ in 0..20 {
            let (session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-2").await.ok().unwrap();
            let mut websocket = Connection::open(gateway.consumer()).await;
            websocket.send(handshake(&session.path().replace("polling", "websocket"), b"")).await;
            assert_eq!(websocket.answer(true).await.map(|answer| answer.status), Some(101));
            if probes {
                websocket.send(crate::hostile::frame(0x81, b"2probe")).await;
                assert!(crate::hostile::next(&mut websocket).await.is_some());
            }
        }
    }
    gateway.emptied().await;
    gateway.until(|stats| stats.sockets.get() == 0).await;
}

/// engineioxide's decoder of the old protocol went round for ever, and took binary that begins with 4 for a text.
#[tokio::test]
async fn engineioxide_0_17_4_payloads_of_the_old_protocol_and_binary_that_begins_with_4() {
    let (gateway, witness) = with_witness().await;
    // By the protocol of today, `1` closes, `2` pings, and binary that belongs to nothing is dropped.
    let payloads: [(&[u8], u16); 9] = [
        (b"1:4", 200),
        (b"2:40", 200),
        (b"-1:4", 400),
        (b"99999999999999999999:4", 400),
        (b"0:", 400),
        (b":", 400),
        (b"\0\x01\xff4", 400),
        (b"b4AAA", 200),
        (b"b4room-1", 400),
    ];
    for (payload, status) in payloads {
        let (mut session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-2").await.ok().unwrap();
        assert!(session.authenticate(json!({})).await.starts_with("40{"));
        let begun = Instant::now();
        let answer = session.post(payload).await;
        assert_soon(begun);
        assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(payload));
        session.post("1").await;
    }
    is_unharmed(&gateway, witness).await;
}

/// A flood of clients leaked (#399) and panicked (0.11.1), and leaving a namespace locked for good (0.13).
#[tokio::test]
async fn socketioxide_399_a_flood_of_clients_that_come_and_go() {
    let (gateway, witness) = with_witness().await;
    for round in 0..5 {
        let come = (0..40).map(|index| {
            let gateway = &gateway;
            async move {
                let mut connection = Connection::open(gateway.consumer()).await;
                connection.send(handshake(WEBSOCKET, b"")).await;
                let frames =
                    ["40", "41", "40", "40/x,", "41/x,"].map(|packet| crate::hostile::frame(0x81, packet.as_bytes()));
                // Each breaks off at another place.
                let bytes = frames.concat();
                connection.send_what_is_taken(&bytes[..(round * 40 + index) % bytes.len()]).await;
            }
        });
        futures_util::future::join_all(come).await;
        // What comes later is answered later.
        assert_eq!(gateway.ask_consumer("GET /nothing", "").await.status, 404);
    }
    gateway.until(|stats| stats.sessions.get() == 1 && stats.subscribers.get() == 1).await;
    is_unharmed(&gateway, witness).await;
}
