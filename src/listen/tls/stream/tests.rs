//! Both ends of a connection in one thread: ours, and rustls' buffered client.

use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::NoServerSessionStorage;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as Client;

use super::*;

type Server = TlsStream<DuplexStream>;

static PAIR: LazyLock<CertifiedKey<KeyPair>> =
    LazyLock::new(|| generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap());

fn server_config(version: &'static SupportedProtocolVersion, tickets: usize) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(PAIR.signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![PAIR.cert.der().clone()], key)
        .unwrap();
    config.send_tls13_tickets = tickets;
    if tickets == 0 {
        config.session_storage = Arc::new(NoServerSessionStorage {});
    }
    Arc::new(config)
}

/// A client that trusts the server's certificate, and no other.
fn client_config() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(PAIR.cert.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Shakes hands over a pipe that holds so many bytes in each direction.
async fn connected(
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    pipe: usize,
) -> (Server, Client<DuplexStream>) {
    let (ours, theirs) = duplex(pipe);
    let client = TlsConnector::from(client).connect("localhost".try_into().unwrap(), theirs);
    let (server, client) = tokio::join!(TlsStream::accept(server, ours), client);
    (server.unwrap(), client.unwrap())
}

fn holds_no_buffer(server: &Server) -> bool {
    server.received.capacity() == 0 && server.plaintext.capacity() == 0 && server.unsent.capacity() == 0
}

/// What is sent differs everywhere, so that nothing out of its place goes unnoticed.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|number| (number * 31 + number / 251) as u8).collect()
}

#[tokio::test]
async fn what_is_sent_arrives_in_both_directions_and_nothing_is_held_in_between() {
    for version in [&version::TLS12, &version::TLS13] {
        for (pipe, counts) in [
            (1, &[1, 100][..]),
            (1_000, &[1, 100, RECORD_BYTES_MAX, RECORD_BYTES_MAX + 1]),
            (1 << 20, &[1, 100, RECORD_BYTES_MAX, RECORD_BYTES_MAX + 1, 100_000]),
        ] {
            let (mut server, mut client) = connected(server_config(version, 0), client_config(), pipe).await;
            assert!(holds_no_buffer(&server), "after the handshake");
            for &count in counts {
                let (sent, mut heard) = (bytes(count), vec![0; count]);
                let said = async {
                    client.write_all(&sent).await.unwrap();
                    client.flush().await.unwrap();
                };
                tokio::join!(said, async { server.read_exact(&mut heard).await.unwrap() });
                assert_eq!(heard, sent);

                heard.fill(0);
                let said = async {
                    server.write_all(&sent).await.unwrap();
                    server.flush().await.unwrap();
                };
                tokio::join!(said, async { client.read_exact(&mut heard).await.unwrap() });
                assert_eq!(heard, sent);
                assert!(holds_no_buffer(&server), "after {count} bytes each way");
            }
        }
    }
}

#[tokio::test]
async fn a_reader_that_asks_for_little_gets_the_rest_later() {
    let (mut server, mut client) = connected(server_config(&version::TLS13, 0), client_config(), 1 << 20).await;
    client.write_all(b"abc").await.unwrap();
    client.flush().await.unwrap();
    for expected in *b"abc" {
        assert_eq!(server.read_u8().await.unwrap(), expected);
    }
    assert!(holds_no_buffer(&server));
}

#[tokio::test]
async fn what_is_not_asked_for_is_left_in_the_stream() {
    let (mut server, mut client) = connected(server_config(&version::TLS13, 0), client_config(), 1 << 20).await;
    client.write_all(&bytes(200_000)).await.unwrap();
    client.flush().await.unwrap();
    server.read_u8().await.unwrap();
    let held = server.plaintext.capacity() + server.received.capacity();
    assert!(held <= 3 * READ_BYTES, "{held} bytes are held");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_holds_one_record_and_is_waited_for() {
    let (mut server, mut client) = connected(server_config(&version::TLS13, 0), client_config(), 4096).await;
    let sent = bytes(3 * RECORD_BYTES_MAX);
    let wait = Duration::from_secs(1);
    assert_eq!(server.write(&sent).await.unwrap(), RECORD_BYTES_MAX, "a record is taken whole");
    assert!(tokio::time::timeout(wait, server.write(&sent)).await.is_err(), "and the next one waits");
    assert!(server.unsent.len() < RECORD_BYTES_MAX + RECORD_OVERHEAD_MAX);
    let mut heard = vec![0; sent.len()];
    let said = async {
        server.write_all(&sent[RECORD_BYTES_MAX..]).await.unwrap();
        server.flush().await.unwrap();
    };
    tokio::join!(said, async { client.read_exact(&mut heard).await.unwrap() });
    assert_eq!(heard, sent);
    assert!(holds_no_buffer(&server));
}

#[tokio::test]
async fn the_end_is_told_and_heard() {
    let (mut server, mut client) = connected(server_config(&version::TLS13, 0), client_config(), 1 << 20).await;
    server.write_all(b"last").await.unwrap();
    server.shutdown().await.unwrap();
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"last", "and no error: the end was told");

    client.write_all(b"yes").await.unwrap();
    client.shutdown().await.unwrap();
    heard.clear();
    server.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"yes", "what was said before the end arrives");
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0, "and the end stays the end");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_no_end() {
    let (mut server, client) = connected(server_config(&version::TLS13, 0), client_config(), 1 << 20).await;
    drop(client.into_inner().0);
    assert_eq!(server.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn what_is_no_tls_is_answered_by_an_alert() {
    let (ours, mut theirs) = duplex(4096);
    let handshake = TlsStream::accept(server_config(&version::TLS13, 0), ours);
    theirs.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(handshake.await.err().unwrap().kind(), io::ErrorKind::InvalidData);
    let mut answer = Vec::new();
    theirs.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer.first(), Some(&21), "an alert (RFC 8446, 5.1): {answer:?}");

    let (mut server, client) = connected(server_config(&version::TLS13, 0), client_config(), 1 << 20).await;
    let mut raw = client.into_inner().0;
    raw.write_all(&[23, 3, 3, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    assert_eq!(server.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert!(raw.read(&mut [0; 64]).await.unwrap() > 5, "an alert");
}

#[tokio::test]
async fn a_handshake_that_never_becomes_whole_is_bounded() {
    let (ours, mut theirs) = duplex(1 << 20);
    // The longest ClientHello that its head can announce, in records of the greatest length.
    let announced = async {
        theirs.write_all(&[22, 3, 1, 0x40, 0, 1, 0xFF, 0xFF, 0xFF]).await?;
        theirs.write_all(&vec![0; (16 << 10) - 4]).await?;
        loop {
            theirs.write_all(&[22, 3, 1, 0x40, 0]).await?;
            theirs.write_all(&vec![0; 16 << 10]).await?;
        }
    };
    let (handshake, ended): (_, io::Result<()>) =
        tokio::join!(TlsStream::accept(server_config(&version::TLS13, 0), ours), announced);
    assert_eq!(handshake.err().unwrap().kind(), io::ErrorKind::InvalidData);
    ended.unwrap_err();
}

#[tokio::test]
async fn keys_are_updated_when_the_peer_asks() {
    let (mut server, mut client) = connected(server_config(&version::TLS13, 0), client_config(), 1 << 20).await;
    client.get_mut().1.refresh_traffic_keys().unwrap();
    client.write_all(b"a").await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'a');
    server.write_all(b"b").await.unwrap();
    server.flush().await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'b');
    assert!(holds_no_buffer(&server));
}

#[tokio::test]
async fn tickets_leave_with_the_first_answer() {
    let (mut server, mut client) = connected(server_config(&version::TLS13, 1), client_config(), 1 << 20).await;
    assert!(!server.unsent.is_empty(), "the ticket waits");
    server.write_all(b"a").await.unwrap();
    assert!(holds_no_buffer(&server));
    assert_eq!(client.read_u8().await.unwrap(), b'a');
    assert_eq!(client.get_ref().1.tls13_tickets_received(), 1);
}

/// What a client sends in its handshake and behind it, as it came over the wire.
async fn recorded() -> Vec<u8> {
    let (ours, theirs) = duplex(1 << 20);
    let (mut tapped, tap) = duplex(1 << 20);
    let client = TlsConnector::from(client_config()).connect("localhost".try_into().unwrap(), tap);
    let wire = async {
        // From the client to the server by hand, and back by itself.
        let (mut from_client, mut to_client) = tokio::io::split(&mut tapped);
        let (mut from_server, mut to_server) = tokio::io::split(theirs);
        let mut recorded = Vec::new();
        let forward = async {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = from_client.read(&mut chunk).await {
                recorded.extend_from_slice(&chunk[..count]);
                to_server.write_all(&chunk[..count]).await.unwrap();
            }
            to_server.shutdown().await.unwrap();
        };
        tokio::join!(forward, async { tokio::io::copy(&mut from_server, &mut to_client).await.unwrap() });
        recorded
    };
    let served = async {
        let mut server = TlsStream::accept(server_config(&version::TLS13, 1), ours).await.unwrap();
        let mut heard = [0; 5];
        server.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
    };
    let said = async {
        let mut client = client.await.unwrap();
        client.write_all(b"hello").await.unwrap();
        client.flush().await.unwrap();
        drop(client);
    };
    let (recorded, (), ()) = tokio::join!(wire, served, said);
    recorded
}

proptest! {
    #[test]
    fn whatever_comes_in_whatever_pieces_is_read_or_refused(
        changes in proptest::collection::vec((0..4096_usize, any::<u8>()), 0..6),
        cuts in proptest::collection::vec(1..600_usize, 1..40),
        version in prop_oneof![Just(&version::TLS12), Just(&version::TLS13)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            static RECORDED: tokio::sync::OnceCell<Vec<u8>> = tokio::sync::OnceCell::const_new();
            let mut sent = RECORDED.get_or_init(recorded).await.clone();
            for (place, byte) in changes {
                let place = place % sent.len();
                sent[place] = byte;
            }
            let (ours, mut theirs) = duplex(1 << 20);
            let said = async {
                let mut rest = sent.as_slice();
                for cut in cuts.iter().cycle() {
                    let (now, later) = rest.split_at((*cut).min(rest.len()));
                    if now.is_empty() || theirs.write_all(now).await.is_err() {
                        break;
                    }
                    tokio::task::yield_now().await;
                    rest = later;
                }
                // What is answered is of no interest: the record is another connection's.
                theirs.shutdown().await.ok();
                tokio::io::copy(&mut theirs, &mut tokio::io::sink()).await.ok();
            };
            let served = async {
                let mut server = TlsStream::accept(server_config(version, 1), ours).await?;
                server.read_to_end(&mut Vec::new()).await
            };
            let (_, served) = tokio::join!(said, served);
            // A server's part of the keys is new each time, so the end of the record never fits.
            assert!(served.is_err());
        });
    }
}
