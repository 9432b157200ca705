//! Those against HTTP/1.1, and HTTP/2, which is not spoken.

use super::{handshake, served_to_the_end};
use crate::harness::Gateway;
use crate::harness::certificates::Certificates;
use crate::harness::dial::dial_tls;
use crate::harness::http::Connection;
use crate::harness::process::{Process, as_texts};
use crate::hostile::{http_lists, is_unharmed, with_witness};

/// hyper once computed with what overflows (RUSTSEC-2021-0079).
#[tokio::test]
async fn cve_2021_32714_a_chunk_size_that_overflows() {
    http_lists::play_framing(&["a chunk of 2^68-1 bytes", "a chunk of 2^64-1 bytes", "a chunk of a negative size"])
        .await;
}

#[tokio::test]
async fn rustsec_2021_0078_a_lenient_content_length() {
    let names =
        ["a length with a plus", "a length with a minus", "two lengths", "a list of two lengths", "a length of 2^64"];
    http_lists::play_framing(&names).await;
}

#[tokio::test]
async fn rustsec_2021_0020_several_transfer_codings() {
    http_lists::play_framing(&[
        "chunks twice in a list",
        "chunks twice in two lines",
        "identity and chunks",
        "gzip and chunks in two lines",
        "chunks and gzip",
        "a length and chunks",
        "a publish behind two codings",
    ])
    .await;
}

/// CVE-2023-44487 is the rapid reset, RUSTSEC-2024-0332 the flood of CONTINUATION, GHSA-8r5v-vm4m-4g25 the queue of resets.
#[tokio::test]
async fn cve_2023_44487_rustsec_2024_0332_ghsa_8r5v_vm4m_4g25_http_2_is_not_spoken() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = b"\0\0\0\x04\0\0\0\0\0";
    let resets = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08".repeat(1_000);
    let continuations = b"\0\0\x01\x09\0\0\0\0\x01\x82".repeat(1_000);
    let (gateway, witness) = with_witness().await;
    for addr in [gateway.producer(), gateway.consumer()] {
        for frames in [&resets, &continuations] {
            let mut connection = Connection::open(addr).await;
            connection.send_what_is_taken([preface.as_slice(), settings, frames].concat()).await;
            assert!(connection.closed().await, "the preface is answered");
        }
        let mut upgrading = Connection::open(addr).await;
        let head = "GET /nothing\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__";
        assert_eq!(upgrading.request(head, "").await.status, 404, "no 101");
        assert_eq!(upgrading.request("GET /nothing", "").await.status, 404, "it is HTTP/1.1 still");
    }
    is_unharmed(&gateway, witness).await;

    let certificates = Certificates::make();
    let gateway = Gateway::start(&as_texts(&certificates.settings())).await;
    for addr in [gateway.producer(), gateway.consumer()] {
        for (offered, agreed) in [(&["h2"][..], None), (&["h2", "http/1.1"], Some("http/1.1"))] {
            let mut client = certificates.stranger();
            client.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
            let stream = dial_tls(addr, client).await.ok();
            let protocol = stream.as_ref().and_then(|stream| stream.get_ref().1.alpn_protocol());
            assert_eq!(protocol, agreed.map(str::as_bytes), "{offered:?}");
        }
    }
}

/// Each byte of a head is a read of its own, on both ports and whatever the head asks for.
#[tokio::test]
async fn heads_byte_by_byte() {
    let (process, ports) = Process::serving(&[("WEBSOCKET_AUTH", "0")]).await;
    let upgrade = handshake("/socket.io/?EIO=4&transport=websocket", b"");
    let refused = handshake("/socket.io/?EIO=4&transport=websocket", b"Origin: https://evil.example\r\n");
    for (addr, head, status) in [
        (ports.producer, b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), 200),
        (ports.producer, b"POST /publish HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}".to_vec(), 415),
        (ports.consumer, b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), 404),
        (ports.consumer, upgrade, 101),
        (ports.consumer, refused, 403),
    ] {
        let mut connection = Connection::open(addr).await;
        for byte in &head {
            connection.send([*byte]).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(connection.answer(true).await.map(|answer| answer.status), Some(status));
    }
    served_to_the_end(process).await;
}
