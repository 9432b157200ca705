//! Both ports in virtual time: how long a client may take for a head. hyper's own timers are inert unless one is put into
//! them, and some servers read the first bytes without any (hyperium/hyper#3756, tokio-rs/axum#2741).

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::*;
use crate::lifecycle::Lifecycle;
use crate::types::IDLE_TIMEOUT;

/// The clock is moved by so much at once, and rests after it, because the sockets are real and the kernel takes its time.
const STEP: Duration = Duration::from_millis(100);
const REST: Duration = Duration::from_micros(200);

/// What the kernel may need, in steps. It is less than lies between any two deadlines.
const SLACK: Duration = Duration::from_secs(5);

const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n";

/// Both ports, and what ends them.
fn both_ports() -> (Lifecycle, [SocketAddr; 2]) {
    let lifecycle = Lifecycle::default();
    let port = Port {
        audience: Audience::Subscribers,
        tls: None,
        write_timeout: Duration::from_secs(10),
        sockets: Arc::default(),
        sockets_max: 10,
        lifecycle: lifecycle.clone(),
        stats: Arc::default(),
    };
    let listener = || bind(IpAddr::V4(Ipv4Addr::LOCALHOST), 0, 1).unwrap().remove(0);
    let (consumer, producer) = (listener(), listener());
    let addrs = [&consumer, &producer].map(|listener| listener.local_addr().unwrap());
    let answer = async |_, _| Response::new(Full::<Bytes>::from("ok"));
    let subscribers = serve_port(consumer, port.clone(), answer);
    let publishers = serve_port(producer, Port { audience: Audience::Publishers, ..port }, answer);
    lifecycle.spawn_background(async { subscribers.await.unwrap() });
    lifecycle.spawn_background(async { publishers.await.unwrap() });
    (lifecycle, addrs)
}

/// Runs a test whose clock moves in steps.
async fn in_steps(test: impl Future<Output = ()>) {
    let steps = async {
        loop {
            sleep(STEP).await;
            std::thread::sleep(REST);
        }
    };
    tokio::select! {
        () = test => {}
        () = steps => {}
    }
}

/// Sends `first`, then `trickle` again and again, a byte a second, until the port closes. Tells how long that took.
async fn closed_after(addr: SocketAddr, first: &[u8], trickle: &[u8]) -> Duration {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(first).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut heard = Vec::new();
    let dribble = async {
        for byte in trickle.iter().cycle() {
            sleep(Duration::from_secs(1)).await;
            let _ = writing.write_all(&[*byte]).await;
        }
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        _ = reading.read_to_end(&mut heard) => begun.elapsed(),
        never = dribble => match never {},
    }
}

#[tokio::test(start_paused = true)]
async fn hyper_3756_axum_2741_a_head_has_ten_seconds_however_it_comes() {
    let (_lifecycle, ports) = both_ports();
    in_steps(async {
        for addr in ports {
            for (first, trickle) in
                [(&b""[..], &b""[..]), (b"\r\n", b""), (HEAD, b""), (b"", HEAD), (b"", b"\r\n"), (HEAD, b"X: y\r\n")]
            {
                let taken = closed_after(addr, first, trickle).await;
                let shown = (String::from_utf8_lossy(first), String::from_utf8_lossy(trickle));
                assert!(taken >= HEAD_TIMEOUT && taken < HEAD_TIMEOUT + SLACK, "{taken:?} {shown:?}");
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_answered_waits_for_its_next_request_as_long_as_is_told() {
    let (_lifecycle, ports) = both_ports();
    in_steps(async {
        for addr in ports {
            let request = [HEAD, b"\r\n"].concat();
            let taken = closed_after(addr, &request, b"").await;
            assert!(taken >= IDLE_TIMEOUT && taken < IDLE_TIMEOUT + SLACK, "{taken:?}");
            // The next head has ten seconds of its own, from its first byte on.
            let taken = closed_after(addr, &request, HEAD).await;
            let expected = Duration::from_secs(1) + HEAD_TIMEOUT;
            assert!(taken >= expected && taken < expected + SLACK, "{taken:?}");
        }
    })
    .await;
}
