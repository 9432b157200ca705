//! TLS on both ports: the stock client, client certificates, what is spoken inside, and new certificates while it runs.

use std::fs;
use std::net::SocketAddr;

use rustls::{ClientConfig, HandshakeKind};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::certificates::Certificates;
use crate::harness::dial::{dial, dial_tls};
use crate::harness::http::{Answer, Connection};
use crate::harness::node::StockClients;
use crate::harness::{Gateway, token};
use roomcast::types::Cause;

async fn start(certificates: &Certificates, more: &[(&str, &str)]) -> Gateway {
    let settings = certificates.settings();
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    Gateway::start(&[&settings, more].concat()).await
}

/// The answer to a request over a connection of its own; none if the gateway does not speak with this client.
async fn ask(addr: SocketAddr, client: ClientConfig, line: &str) -> Option<Answer> {
    let mut connection = Connection::over(dial_tls(addr, client).await.ok()?);
    connection.send_what_is_taken(format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
    connection.answer(false).await
}

const OPEN: &str = "GET /socket.io/?EIO=4&transport=polling";

#[tokio::test]
async fn the_stock_client_over_wss_and_https() {
    let certificates = Certificates::make();
    let gateway = start(&certificates, &[]).await;
    let ca = certificates.read("ca.pem");
    for transports in [vec!["websocket"], vec!["polling"], vec!["polling", "websocket"]] {
        let mut client = StockClients::start(&json!({
            "url": format!("https://127.0.0.1:{}", gateway.consumer().port()), "rooms": ["room-1"],
            "token": token(), "transports": transports, "ca": ca,
        }));
        client.connected(0).await;
        if transports.len() > 1 {
            client.line(|line| line["upgraded"] == "websocket").await;
        }
        for number in 0..5 {
            let mut publisher = Connection::over(dial_tls(gateway.producer(), certificates.stranger()).await.unwrap());
            let body = json!({ "target_id": "room-1", "number": number }).to_string();
            let answer = publisher.request("POST /publish\nContent-Type: application/json", body).await;
            assert_eq!((answer.status, answer.header("keep-alive")), (200, "timeout=75"));
            assert_eq!(client.event(0).await, ("room-1".to_owned(), json!([{ "number": number }])));
        }
    }
    assert!(gateway.drain().await.clean);
}

/// What Node's TLS makes of a handshake in TLS 1.2 with one cipher suite: `ok`, or the alert.
async fn handshake_with(gateway: &Gateway, suite: &str) -> String {
    let script = "const [port, ciphers] = process.argv.slice(1);\n\
        const end = (text) => { console.log(text); process.exit(0); };\n\
        const options = { port, host: '127.0.0.1', maxVersion: 'TLSv1.2', ciphers, checkServerIdentity: () => end('ok') };\n\
        require('node:tls').connect(options).on('error', (error) => end(error.code));";
    let port = gateway.producer().port().to_string();
    let output = tokio::process::Command::new("node").args(["-e", script, &port, suite]).output().await.unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Node's server, and so vrchats, takes older ones too.
#[tokio::test]
async fn tls_1_2_is_spoken_with_forward_secrecy_and_authenticated_encryption_alone() {
    let certificates = Certificates::make();
    let gateway = start(&certificates, &[]).await;
    // Whether the authority is known is asked after the handshake.
    let modern = handshake_with(&gateway, "ECDHE-ECDSA-AES256-GCM-SHA384").await;
    assert!(
        ["ok", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "SELF_SIGNED_CERT_IN_CHAIN"].contains(&modern.as_str()),
        "{modern}"
    );
    for old in ["ECDHE-ECDSA-AES256-SHA384", "AES256-GCM-SHA384"] {
        assert_eq!(handshake_with(&gateway, old).await, "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "{old}");
    }
    gateway.until(|stats| stats.refusals(Cause::TlsHandshake).get() >= 2).await;
}

#[tokio::test]
async fn a_client_that_does_not_know_the_authority_is_not_connected() {
    let (ours, others) = (Certificates::make(), Certificates::make());
    let gateway = start(&ours, &[]).await;
    let mut client = StockClients::start(&json!({
        "url": format!("https://127.0.0.1:{}", gateway.consumer().port()), "rooms": ["room-1"],
        "token": token(), "transports": ["websocket"], "ca": others.read("ca.pem"),
    }));
    assert_eq!(client.line(|line| line.get("refused").is_some()).await["active"], true);
    assert!(ask(gateway.producer(), others.stranger(), "GET /status").await.is_none());
    assert!(ask(gateway.producer(), ours.stranger(), "GET /status").await.is_some());
}

#[tokio::test]
async fn http_1_1_is_all_that_is_spoken() {
    let certificates = Certificates::make();
    let gateway = start(&certificates, &[]).await;
    for addr in [gateway.producer(), gateway.consumer()] {
        for (offered, expected) in [(vec!["h2", "http/1.1"], Some("http/1.1")), (vec![], None)] {
            let mut client = certificates.stranger();
            client.alpn_protocols = offered.into_iter().map(|name: &str| name.as_bytes().to_vec()).collect();
            let stream = dial_tls(addr, client).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), expected.map(str::as_bytes));
        }
        let mut only_h2 = certificates.stranger();
        only_h2.alpn_protocols = vec![b"h2".to_vec()];
        assert!(dial_tls(addr, only_h2).await.is_err());
    }
    gateway.until(|stats| stats.refusals(Cause::TlsHandshake).get() == 2).await;
}

#[tokio::test]
async fn client_certificates_are_asked_for_where_they_are_set_and_nowhere_else() {
    let (ours, others) = (Certificates::make(), Certificates::make());
    for (verify, on_producer, on_consumer) in
        [("0", false, false), ("1", true, true), ("producer", true, false), ("consumer", false, true)]
    {
        let gateway = start(&ours, &[("VERIFY_ORIGIN", verify)]).await;
        for (addr, line, is_asked) in
            [(gateway.producer(), "GET /status", on_producer), (gateway.consumer(), OPEN, on_consumer)]
        {
            let status = async |client| ask(addr, client, line).await.map(|answer| answer.status);
            assert_eq!(status(ours.bearer(&ours)).await, Some(200), "VERIFY_ORIGIN={verify} {line}");
            let of_stranger = status(ours.stranger()).await;
            assert_eq!(of_stranger, (!is_asked).then_some(200), "VERIFY_ORIGIN={verify} {line}");
            let of_others = status(ours.bearer(&others)).await;
            assert_eq!(of_others, (!is_asked).then_some(200), "VERIFY_ORIGIN={verify} {line}");
        }
    }
}

#[tokio::test]
async fn a_server_certificate_is_no_client_certificate() {
    let certificates = Certificates::make();
    for (from, to) in [("cert.pem", "client-backend.pem"), ("key.pem", "client-backend-key.pem")] {
        fs::copy(certificates.path(from), certificates.path(to)).unwrap();
    }
    let gateway = start(&certificates, &[("VERIFY_ORIGIN", "1")]).await;
    let imposter = certificates.bearer(&certificates);
    assert!(ask(gateway.producer(), imposter, "GET /status").await.is_none());
}

/// How a new connection shook hands, once it was answered.
async fn handshake(addr: SocketAddr, client: &ClientConfig, line: &str) -> HandshakeKind {
    let mut stream = dial_tls(addr, client.clone()).await.unwrap();
    stream.write_all(format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).await.unwrap();
    assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
    stream.get_ref().1.handshake_kind().unwrap()
}

#[tokio::test]
async fn who_comes_back_resumes_until_the_certificates_are_read_again() {
    let certificates = Certificates::make();
    let gateway = start(&certificates, &[]).await;
    for (addr, line) in [(gateway.producer(), "GET /status"), (gateway.consumer(), OPEN)] {
        let client = certificates.stranger();
        let kinds = [handshake(addr, &client, line).await, handshake(addr, &client, line).await];
        assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed], "{line}");
        gateway.reload_certificates().unwrap();
        assert_eq!(handshake(addr, &client, line).await, HandshakeKind::Full, "{line}");
    }
}

#[tokio::test]
async fn who_shows_a_certificate_shows_it_each_time() {
    let certificates = Certificates::make();
    let gateway = start(&certificates, &[("VERIFY_ORIGIN", "1")]).await;
    for (addr, line) in [(gateway.producer(), "GET /status"), (gateway.consumer(), OPEN)] {
        let client = certificates.bearer(&certificates);
        for _ in 0..2 {
            assert_eq!(handshake(addr, &client, line).await, HandshakeKind::Full, "{line}");
        }
    }
}

/// The certificate that a new connection is shown.
async fn shown(addr: SocketAddr, certificates: &Certificates) -> Vec<u8> {
    let stream = dial_tls(addr, certificates.stranger()).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn new_certificates_are_taken_while_it_runs_and_bad_ones_leave_the_old() {
    let certificates = Certificates::make();
    let gateway = start(&certificates, &[]).await;
    let old = shown(gateway.producer(), &certificates).await;
    let mut before = Connection::over(dial_tls(gateway.producer(), certificates.stranger()).await.unwrap());
    assert_eq!(before.request("GET /status", "").await.status, 200);

    certificates.renew_server();
    assert_eq!(shown(gateway.producer(), &certificates).await, old, "files alone change nothing");
    gateway.reload_certificates().unwrap();
    let new = shown(gateway.producer(), &certificates).await;
    assert_ne!(new, old);
    assert_eq!(shown(gateway.consumer(), &certificates).await, new);
    assert_eq!(before.request("GET /status", "").await.status, 200, "connections stay");

    let key = certificates.read("key.pem");
    let others_key = Certificates::make().read("key.pem");
    for (name, text) in [("cert.pem", ""), ("key.pem", "no key"), ("key.pem", &others_key)] {
        let good = certificates.read(name);
        fs::write(certificates.path(name), text).unwrap();
        let error = gateway.reload_certificates().unwrap_err().to_string();
        assert!(error.contains("_KEY_PATH"), "{error}");
        assert!(!error.contains(&key[40..80]), "{error}");
        assert_eq!(shown(gateway.producer(), &certificates).await, new, "{name}: {text:.20}");
        fs::write(certificates.path(name), good).unwrap();
    }
    fs::remove_file(certificates.path("cert.pem")).unwrap();
    assert!(gateway.reload_certificates().is_err());
    assert_eq!(ask(gateway.consumer(), certificates.stranger(), OPEN).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_is_no_tls_is_closed_and_counted_and_harms_nobody() {
    let certificates = Certificates::make();
    let gateway = start(&certificates, &[]).await;
    let hellos: [&[u8]; 5] = [
        b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    ];
    for addr in [gateway.producer(), gateway.consumer()] {
        for hello in hellos {
            let mut stream = dial(addr).await;
            stream.write_all(hello).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
        }
    }
    gateway.until(|stats| stats.refusals(Cause::TlsHandshake).get() == 10).await;
    gateway.until(|stats| stats.sockets.get() == 0).await;
    assert_eq!(ask(gateway.producer(), certificates.stranger(), "GET /status").await.unwrap().status, 200);
    assert_eq!(ask(gateway.consumer(), certificates.stranger(), OPEN).await.unwrap().status, 200);
}
