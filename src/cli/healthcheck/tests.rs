//! Where a gateway is looked for, and what counts as an answer.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::{Endpoint, Local, answers};
use crate::cli::client::testing::Gateway;
use crate::config::{Machine, Sources};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn sources(environment: &[(&str, &str)]) -> Sources {
    Sources {
        flags: Default::default(),
        environment: environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        env_file: None,
        default_env_file: None,
        machine: Machine::here(),
    }
}

fn local(settings: &[(&str, &str)]) -> anyhow::Result<Local> {
    Local::from_settings(&sources(settings))
}

#[test]
fn without_settings_the_defaults_are_looked_for() {
    for settings in [&[][..], &[("HTTP_PORT", ""), ("WEBSOCKET_PORT", " "), ("TLS", ""), ("HOST", "")]] {
        let local = local(settings).unwrap();
        assert_eq!(local.admin, Some("127.0.0.1:18190".parse().unwrap()));
        assert_eq!((local.tls, local.host, local.ports), (true, LOOPBACK, vec![2053, 8443]));
    }
}

#[test]
fn settings_and_their_old_names_are_followed() {
    let all = local(&[("ADMIN_ADDR", "0.0.0.0:9"), ("TLS", "OFF"), ("HOST", "127.0.0.9"), ("HTTP_PORT", "1")]).unwrap();
    assert_eq!(all.admin, Some("127.0.0.1:9".parse().unwrap()));
    assert_eq!((all.tls, all.host, all.ports), (false, "127.0.0.9".parse().unwrap(), vec![1, 8443]));

    assert_eq!(local(&[("ADMIN_ADDR", "[::]:9")]).unwrap().admin, Some("127.0.0.1:9".parse().unwrap()));
    assert_eq!(local(&[("HOST", "::1")]).unwrap().host, "::1".parse::<IpAddr>().unwrap());

    let old = [("PRODUCER_PORT", "1"), ("STANDALONE_PORT", "3"), ("HOST", "::"), ("ADMIN_ADDR", "")];
    let old = |more: &[(&str, &'static str)]| local(&[&old, more].concat()).unwrap();
    assert_eq!((old(&[]).admin, old(&[]).host, old(&[]).ports), (None, LOOPBACK, vec![1, 8443]));
    for off in ["0", "false", "off"] {
        assert_eq!(old(&[("CLUSTER_MODE", off)]).ports, [1, 3], "{off}");
    }
    assert_eq!(old(&[("CLUSTER_MODE", "0"), ("CONSUMER_PORT", "2")]).ports, [1, 2]);
    assert_eq!(old(&[("WEBSOCKET_PORT", "1")]).ports, [1]);
}

#[test]
fn the_file_of_settings_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.env");
    std::fs::write(&file, "HTTP_PORT=1\nWEBSOCKET_PORT=2\n").unwrap();
    let sources = Sources { env_file: Some(file), ..sources(&[("WEBSOCKET_PORT", "3")]) };
    assert_eq!(Local::from_settings(&sources).unwrap().ports, [1, 3]);
    let missing = Sources { env_file: Some(folder.path().join("missing")), ..sources };
    let error = Local::from_settings(&missing).unwrap_err().to_string();
    assert!(error.contains("missing: cannot read the file of settings"), "{error}");
}

#[test]
fn a_setting_that_cannot_be_read_is_named() {
    for (name, key, value) in
        [("HTTP_PORT", "HTTP_PORT", "x"), ("CONSUMER_PORT", "WEBSOCKET_PORT", "70000"), ("TLS", "TLS", "maybe")]
    {
        let error = local(&[(name, value)]).unwrap_err().to_string();
        assert!(error.starts_with(key) && error.contains(value) && !error.contains('\n'), "{error}");
    }
    assert!(local(&[("ADMIN_ADDR", "here")]).is_err());
    assert!(local(&[("PING_TIMEOUT", "x"), ("JWT_KEY_FILE", "/nowhere")]).is_ok(), "others do not matter");
}

/// What a peer does with what it is sent.
async fn answered_with(tls: bool, answer: &[u8]) -> anyhow::Result<()> {
    let gateway = Gateway::bind().await;
    let server = async {
        let mut peer = gateway.accept().await;
        let mut request = [0; 4096];
        assert!(peer.read(&mut request).await.unwrap() > 0);
        peer.write_all(answer).await.unwrap();
    };
    tokio::join!(answers(Endpoint::local(tls, "127.0.0.1", gateway.addr().port())), server).0
}

#[tokio::test]
async fn an_alert_counts_as_an_answer_and_silence_or_another_protocol_does_not() {
    // Alert record: fatal, handshake_failure.
    answered_with(true, &[21, 3, 3, 0, 2, 2, 40]).await.unwrap();
    assert!(answered_with(true, b"").await.is_err());
    assert!(answered_with(true, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.is_err());
}

/// Whether a TLS server's port counts as answering; the server shows an expired certificate.
async fn answered_in_tls(versions: &[&'static SupportedProtocolVersion], asks_for_certificate: bool) -> bool {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["elsewhere.test".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
    let builder = if asks_for_certificate {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let gateway = Gateway::bind().await;
    let server = async {
        let shaken = TlsAcceptor::from(Arc::new(config)).accept(gateway.accept().await).await;
        assert_eq!(shaken.is_err(), asks_for_certificate, "{:?}", shaken.err());
    };
    tokio::join!(answers(Endpoint::local(true, "127.0.0.1", gateway.addr().port())), server).0.is_ok()
}

#[tokio::test]
async fn an_expired_certificate_and_the_demand_for_a_clients_are_answers() {
    for version in [&TLS12, &TLS13] {
        assert!(answered_in_tls(&[version], false).await, "{version:?}");
        assert!(answered_in_tls(&[version], true).await, "{version:?}");
    }
}

#[tokio::test]
async fn any_http_status_counts_as_an_answer() {
    answered_with(false, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert!(answered_with(false, b"").await.is_err());
}

/// What `/livez` answers in two cases that say nothing good; none for silence.
const NO_WORD: [Option<&[u8]>; 2] = [Some(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), None];

#[tokio::test]
async fn where_the_admin_listener_says_nothing_good_the_ports_count() {
    for (answer, ports_answer) in NO_WORD.into_iter().flat_map(|answer| [(answer, true), (answer, false)]) {
        let (admin, port) = (Gateway::bind().await, Gateway::bind().await);
        let local = Local { admin: Some(admin.addr()), tls: false, host: LOOPBACK, ports: vec![port.addr().port()] };
        let admin = async {
            let mut peer = admin.accept().await;
            let mut request = [0; 4096];
            let length = peer.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /livez HTTP/1.1\r\n"));
            if let Some(answer) = answer {
                peer.write_all(answer).await.unwrap();
            }
            peer
        };
        let gateway = async {
            let mut peer = port.accept().await;
            assert!(peer.read(&mut [0; 4096]).await.unwrap() > 0);
            if ports_answer {
                peer.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            }
        };
        let (verdict, _admin, ()) = tokio::join!(local.check(), admin, gateway);
        assert_eq!(verdict.is_ok(), ports_answer, "{answer:?}: {verdict:?}");
    }
}
