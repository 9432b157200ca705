//! Those against TLS.

use std::sync::Arc;
use std::time::Instant;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SerialNumber,
};
use roomcast::types::Cause;
use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{assert_soon, cost, served_to_the_end};
use crate::harness::Gateway;
use crate::harness::certificates::Certificates;
use crate::harness::dial::{dial, dial_tls};
use crate::harness::http::{Connection, PATIENCE};
use crate::harness::process::{Process, as_texts};

/// A client that gets to see its own records before they are sent.
struct Client {
    stream: TcpStream,
    tls: ClientConnection,
}

impl Client {
    async fn new(addr: std::net::SocketAddr, config: ClientConfig) -> Self {
        let tls = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
        Self { stream: dial(addr).await, tls }
    }

    /// What it has to send.
    fn records(&mut self) -> Vec<u8> {
        let mut records = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut records).unwrap();
        }
        records
    }

    /// Sends what it has to, and reads once; false at the end.
    async fn exchange(&mut self) -> bool {
        let records = self.records();
        self.stream.write_all(&records).await.unwrap();
        let mut read = [0; 4096];
        let length = timeout(PATIENCE, self.stream.read(&mut read)).await.expect("an answer in time").unwrap_or(0);
        self.tls.read_tls(&mut &read[..length]).unwrap();
        self.tls.process_new_packets().unwrap();
        length > 0
    }

    async fn shake_hands(&mut self) {
        while self.tls.is_handshaking() {
            assert!(self.exchange().await, "the gateway closed in the handshake");
        }
    }

    /// The first line of the answer to a request.
    async fn ask(&mut self, line: &str) -> String {
        use std::io::{Read as _, Write as _};
        write!(self.tls.writer(), "{line} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.contains(&b'\r') {
            assert!(self.exchange().await, "the gateway closed instead of answering");
            let _ = self.tls.reader().read_to_end(&mut answer);
        }
        String::from_utf8(answer).unwrap().lines().next().unwrap().to_owned()
    }

    /// Waits until the gateway closes.
    async fn closed(&mut self) {
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.expect("a close in time");
    }
}

/// rustls' `Acceptor` panicked at a ClientHello in pieces (GHSA-8339-5m7v-j33j).
#[tokio::test]
async fn cve_2024_11738_a_client_hello_in_records_of_one_byte() {
    let certificates = Certificates::make();
    let gateway = Gateway::start(&as_texts(&certificates.settings())).await;
    for (addr, line, answer) in [
        (gateway.producer(), "GET /status", "HTTP/1.1 200 OK"),
        (gateway.consumer(), "GET /socket.io/", "HTTP/1.1 400 Bad Request"),
    ] {
        let mut client = Client::new(addr, certificates.stranger()).await;
        let hello = client.records();
        assert_eq!(hello[0], 22, "a handshake record");
        let pieces: Vec<u8> = hello[5..].iter().flat_map(|byte| [22, 3, 1, 0, 1, *byte]).collect();
        client.stream.write_all(&pieces).await.unwrap();
        client.shake_hands().await;
        assert_eq!(client.ask(line).await, answer);
    }
    assert_eq!(gateway.stats().refusals(Cause::TlsHandshake).get(), 0);
}

/// rustls' `complete_io` went round for ever (GHSA-6g7w-8wpp-frhj).
#[tokio::test]
async fn cve_2024_32650_a_close_notify_in_the_handshake() {
    const CLOSE_NOTIFY: [u8; 7] = [21, 3, 3, 0, 2, 1, 0];
    let certificates = Certificates::make();
    let (process, ports) = Process::serving(&as_texts(&certificates.settings())).await;
    let mut waiting = Vec::new();
    let (cpu, _) = cost(ports, async {
        for addr in [ports.producer, ports.consumer] {
            // Before any other record it says nothing; the deadline of the handshake is what ends that.
            let mut first = dial(addr).await;
            first.write_all(&CLOSE_NOTIFY).await.unwrap();
            waiting.push(first);
            for bytes in [1, 5, 100, usize::MAX] {
                let mut client = Client::new(addr, certificates.stranger()).await;
                let hello = client.records();
                let mut sent = hello.clone();
                if let Some(piece) = hello[5..].get(..bytes) {
                    // As a record of its own, so that what follows is the next one.
                    sent = [&[22, 3, 1, 0, u8::try_from(bytes).unwrap()], piece].concat();
                }
                client.stream.write_all(&[sent.as_slice(), &CLOSE_NOTIFY].concat()).await.unwrap();
                client.closed().await;
            }
            let mut client = Client::new(addr, certificates.stranger()).await;
            client.shake_hands().await;
            client.tls.send_close_notify();
            let records = client.records();
            client.stream.write_all(&records).await.unwrap();
            client.closed().await;
        }
    })
    .await;
    assert!(cpu < 1.0, "{cpu} s of CPU");
    for addr in [ports.producer, ports.consumer] {
        assert!(dial_tls(addr, certificates.stranger()).await.is_ok());
    }
    drop(waiting);
    served_to_the_end(process).await;
}

/// An authority whose chains may be of any length.
fn authority(name: &str, number: u64) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.serial_number = Some(SerialNumber::from(number));
    (params, KeyPair::generate().unwrap())
}

/// A client's certificate by this authority, and its key.
fn leaf(issuer: &Issuer<'_, KeyPair>) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "client");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap().der().clone();
    (certificate, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

/// Chains of one name and one key, each of which may follow each: of the ways through them there is no end.
fn tangle(count: u64) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let (params, key) = authority("tangle", 0);
    let issuer = Issuer::new(params, key);
    let (certificate, private_key) = leaf(&issuer);
    let between = (1..=count).map(|number| {
        let (params, _) = authority("tangle", number);
        params.signed_by(issuer.key(), &issuer).unwrap().der().clone()
    });
    (std::iter::once(certificate).chain(between).collect(), private_key)
}

/// A chain that leads to `root` over so many others.
fn long_chain(root: Issuer<'_, KeyPair>, count: u64) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let mut chain = Vec::new();
    let mut issuer = root;
    for number in 1..=count {
        let (params, key) = authority(&format!("link {number}"), number);
        chain.insert(0, params.signed_by(&key, &issuer).unwrap().der().clone());
        issuer = Issuer::new(params, key);
    }
    let (certificate, private_key) = leaf(&issuer);
    chain.insert(0, certificate);
    (chain, private_key)
}

/// webpki's time grew with the number of ways through a chain.
#[tokio::test]
async fn rustsec_2023_0052_a_client_certificate_with_a_bomb_for_a_chain() {
    let certificates = Certificates::make();
    let (params, key) = authority("root", 0);
    let root = params.self_signed(&key).unwrap();
    let root_path = certificates.path("client-root.pem");
    std::fs::write(&root_path, root.pem()).unwrap();
    let mut settings = certificates.settings();
    settings.extend([("CA_PATH", root_path.to_str().unwrap().to_owned()), ("VERIFY_ORIGIN", "1".to_owned())]);
    let (process, ports) = Process::serving(&as_texts(&settings)).await;
    let root = Issuer::new(params, key);
    let good = long_chain(Issuer::from_params(&authority("root", 0).0, clone_of(root.key())), 2);
    let bombs = [tangle(100), long_chain(root, 60)];
    let ask = async |(chain, key): (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)| {
        let mut connection = Connection::over(dial_tls(ports.producer, certificates.showing(chain, key)).await.ok()?);
        connection.send_what_is_taken("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        connection.answer(false).await.map(|answer| answer.status)
    };
    assert_eq!(ask(good).await, Some(200), "two certificates in between are nothing bad");
    let (cpu, _) = cost(ports, async {
        for bomb in bombs {
            let begun = Instant::now();
            assert_eq!(ask(bomb).await, None);
            assert_soon(begun);
        }
    })
    .await;
    assert!(cpu < 2.0, "{cpu} s of CPU");
    served_to_the_end(process).await;
}

fn clone_of(key: &KeyPair) -> KeyPair {
    KeyPair::try_from(key.serialize_der()).unwrap()
}
