//! Clients that take their time, in real time: a handshake and a request head have ten seconds each.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::Gateway;
use crate::harness::certificates::Certificates;
use crate::harness::dial::{Stream, dial, dial_tls};

/// Sends the bytes, then one more each second until the gateway closes, and tells how long that took.
async fn closed_after(mut stream: impl Stream, first: &[u8], trickle: &[u8]) -> Duration {
    let begun = Instant::now();
    stream.write_all(first).await.unwrap();
    let mut trickle = trickle.iter().cycle();
    let mut byte = [0];
    loop {
        match tokio::time::timeout(Duration::from_secs(1), stream.read(&mut byte)).await {
            Ok(Ok(0) | Err(_)) => return begun.elapsed(),
            Ok(Ok(_)) => {}
            Err(_) if begun.elapsed().as_secs() > 30 => panic!("the gateway waits for ever"),
            Err(_) => {
                if let Some(byte) = trickle.next() {
                    let _ = stream.write_all(&[*byte]).await;
                }
            }
        }
    }
}

async fn plain(addr: SocketAddr, first: &[u8], trickle: &[u8]) -> Duration {
    closed_after(dial(addr).await, first, trickle).await
}

#[tokio::test]
async fn a_slow_handshake_and_a_slow_head_are_closed_within_ten_seconds_on_both_ports() {
    let certificates = Certificates::make();
    let settings = certificates.settings();
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let secure = Gateway::start(&settings).await;
    let open = Gateway::start(&[]).await;
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let (head, header) = (b"GET /status HTTP/1.1\r\nHost: a\r\n", b"x: y\r\n");
    let encrypted = async |addr| {
        let stream = dial_tls(addr, certificates.stranger()).await.unwrap();
        closed_after(stream, head, header).await
    };
    let times = tokio::join!(
        plain(secure.producer(), b"", b""),
        plain(secure.consumer(), hello, b"\x00"),
        plain(secure.producer(), hello, b"\x00"),
        plain(open.producer(), b"", header),
        plain(open.producer(), head, header),
        plain(open.consumer(), b"", header),
        plain(open.consumer(), head, header),
        plain(open.consumer(), b"G", b"E"),
        encrypted(secure.producer()),
        encrypted(secure.consumer()),
    );
    let times: [Duration; 10] = times.into();
    for (index, time) in times.iter().enumerate() {
        let millis = time.as_millis();
        assert!((9_500..15_000).contains(&millis), "number {index} was closed after {millis} ms");
    }
    open.until(|stats| stats.sockets.get() == 0).await;
    secure.until(|stats| stats.sockets.get() == 0).await;
}
