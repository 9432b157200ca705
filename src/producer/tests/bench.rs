//! A producer on an in-memory connection, what is sent to it, and what is heard of it.

use std::convert::Infallible;
use std::io::Write;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

use tokio_util::sync::CancellationToken;

use super::super::*;
use crate::admission::cidr::CidrList;
use crate::admission::config::AuthConfig;
use crate::admission::origin::OriginList;
use crate::hub::{Hub, Membership};
use crate::types::{Cause, Clock, RoomName};
use crate::{admission, publish};

pub(super) const BODY_BYTES_MAX: usize = 102_400;
pub(super) const TRUSTED: &str = "192.0.2.7:5000";
pub(super) const UNTRUSTED: &str = "203.0.113.9:5000";

/// The defaults.
pub(super) const CONFIG: Config =
    Config { body_bytes_max: BODY_BYTES_MAX, has_legacy_route: false, has_legacy_statuses: false };

/// Longer than any wait of the producer. The clock is paused, so it passes at once when nothing else is to happen.
const SILENCE: Duration = Duration::from_secs(60);

/// A producer whose hub has one member in room `a` and records what it emits.
pub(super) struct Bench {
    pub(super) producer: Producer,
    emitted: Mutex<Vec<String>>,
    hub: Arc<Hub>,
    _member: Membership,
}

/// What came back, and whether the connection was closed after it.
pub(super) struct Heard {
    pub(super) text: String,
    pub(super) closed: bool,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(None, CONFIG)
    }

    pub(super) fn limited(publishes_per_second: Option<NonZeroU32>) -> Self {
        Self::with(publishes_per_second, CONFIG)
    }

    pub(super) fn with(publishes_per_second: Option<NonZeroU32>, config: Config) -> Self {
        let stats = Arc::new(Stats::default());
        let hub = Hub::new(1, stats.clone());
        let gate = admission::Config {
            publishers: CidrList::parse("192.0.2.0/24").unwrap().list,
            origins: OriginList::default(),
            proxy: None,
            publishes_per_second,
            auth: AuthConfig::default(),
            rates: None,
            sessions_max: 1,
            sessions_per_address_max: None,
            exempt: Default::default(),
        };
        let publish = publish::Config { target_pattern: None, takes_uuid: config.has_legacy_route };
        let producer = Producer {
            gate: Gate::new(gate, Clock::system(), stats.clone()),
            publisher: Publisher::new(publish, hub.clone(), stats.clone()),
            config,
            stopping: CancellationToken::new(),
            stats,
        };
        let _member = hub.join(0, &[RoomName::new("a").unwrap()]);
        Self { producer, emitted: Mutex::default(), hub, _member }
    }

    /// Sends bytes from a peer and listens until the connection is closed or nothing more comes.
    pub(super) async fn talk_from(&self, peer: &str, sent: &[u8]) -> Heard {
        let peer = PeerAddr::new(peer.parse().unwrap());
        let (mut client, server) = tokio::io::duplex(8 << 20);
        let server = self.serve(peer, server);
        let conversation = async move {
            // A server that has heard enough may close while the client is still writing.
            let _ = client.write_all(sent).await;
            let mut heard = Vec::new();
            let closed = timeout(SILENCE, client.read_to_end(&mut heard)).await.is_ok();
            Heard { text: String::from_utf8(heard).unwrap(), closed }
        };
        let (_, heard) = tokio::join!(server, conversation);
        heard
    }

    /// Serves one connection to its end.
    pub(super) async fn serve(&self, peer: PeerAddr, stream: DuplexStream) -> hyper::Result<()> {
        let answer = |request| async move { Ok::<_, Infallible>(self.producer.answer(peer, request).await) };
        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await
    }

    pub(super) async fn talk(&self, sent: impl AsRef<[u8]>) -> Heard {
        self.talk_from(TRUSTED, sent.as_ref()).await
    }

    pub(super) fn emitted(&self) -> Vec<String> {
        let mut emitted = self.emitted.lock().unwrap();
        let inbox = self.hub.inbox(0).unwrap();
        let jobs = inbox.take(usize::MAX);
        inbox.is_sent(&jobs);
        emitted.extend(jobs.iter().map(|job| job.publication.payload.json().to_owned()));
        emitted.clone()
    }

    pub(super) fn refused(&self, cause: Cause) -> u64 {
        self.producer.stats.refusals(cause).get()
    }
}

impl Heard {
    /// The status codes, in order.
    pub(super) fn statuses(&self) -> Vec<u16> {
        // An answer begins where the body of the last one ended, which need not be a new line.
        self.text.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].parse().unwrap()).collect()
    }

    /// The one status, body, and whether the connection was kept; what the answer says of it must be true.
    pub(super) fn one(&self) -> (u16, &str, bool) {
        let [status] = self.statuses()[..] else { panic!("not one answer: {}", self.text) };
        let (head, body) = self.text.split_once("\r\n\r\n").unwrap();
        let kept = self.header("connection") == Some("keep-alive");
        assert_eq!(kept, self.header("keep-alive") == Some("timeout=75"), "{head}");
        assert_eq!(kept, !self.closed, "{head}");
        (status, body, kept)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.text.lines().take_while(|line| !line.is_empty()).skip(1);
        lines
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|pair| pair.1)
    }
}

/// A request to publish, with more header lines if need be.
pub(super) fn post(lines: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("POST /publish HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub(super) fn json(body: impl AsRef<[u8]>) -> Vec<u8> {
    post("Content-Type: application/json\r\n", body)
}

pub(super) fn request(line: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// A body of exactly so many bytes.
pub(super) fn body_of(bytes: usize) -> String {
    let frame = r#"{"target_id":"a","x":""}"#.len();
    format!(r#"{{"target_id":"a","x":"{}"}}"#, "x".repeat(bytes - frame))
}

pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// What was logged, for a subscriber to write to.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The lines as JSON.
    pub(super) fn lines(&self) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
