//! Plays a list of cases to a gateway process of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::{Case, MARK, Port, Then};
use crate::harness::SECRET;
use crate::harness::certificates::Certificates;
use crate::harness::dial::{Stream, dial_from, over_tls};
use crate::harness::http::{Connection, PATIENCE};
use crate::harness::polling::Polling;
use crate::harness::process::{Ports, Process, as_texts, ask_admin, token_now};
use crate::harness::socket::Socket;

/// Every case is over within this, on a busy machine too. The shortest deadline of the gateway's is twice as long, so no
/// answer is one that a deadline brought.
const PROMPT: Duration = Duration::from_secs(5);

/// Memory that a list may leave behind: what the allocator keeps of buffers that were there for a moment.
const LEFT_BYTES_MAX: f64 = (6 << 20) as f64;

const PUBLISH: &str = "POST /publish\nContent-Type: application/json";

/// A gateway process, an honest subscriber of room-1, and the numbers from before the list.
struct Stage {
    process: Process,
    ports: Ports,
    witness: Socket,
    /// Where they are, everything is encrypted.
    certificates: Option<Certificates>,
    /// Header lines that make an honest publisher of this machine, each after a `\n`.
    credentials: &'static str,
}

/// Plays the cases one after another, each over a connection of its own, and then again: what the first round left is the
/// measure for the second, since buffers that are kept for use are no leak.
pub(super) async fn play(settings: &[(&str, &str)], credentials: &'static str, cases: Vec<Case>) {
    let mut stage = Stage::set(settings, credentials, None).await;
    stage.play(&cases, false).await;
    stage.play(&cases, true).await;
    stage.end().await;
}

/// Plays the cases once, with other settings, and without a look at the memory.
pub(super) async fn play_once(settings: &[(&str, &str)], cases: Vec<Case>) {
    let mut stage = Stage::set(settings, "", None).await;
    stage.play(&cases, false).await;
    stage.end().await;
}

/// The same over TLS.
pub(super) async fn play_encrypted(cases: Vec<Case>) {
    let certificates = Certificates::make();
    let settings = certificates.settings();
    let mut stage = Stage::set(&as_texts(&settings), "", Some(certificates)).await;
    stage.play(&cases, false).await;
    stage.end().await;
}

impl Stage {
    async fn play(&mut self, cases: &[Case], is_warm: bool) {
        let before = self.gauges().await;
        let mut faults = Vec::new();
        for case in cases {
            let begun = Instant::now();
            let played = timeout(PROMPT, self.meets(case)).await;
            let played = played.unwrap_or_else(|_| Err(format!("no end after {:?}", begun.elapsed())));
            faults.extend(played.err().map(|fault| format!("{:?} {}: {fault}", case.port, case.name)));
            self.is_served_after(case).await;
            self.process.read_log().await;
        }
        assert!(faults.is_empty(), "{faults:#?}");
        self.is_left_as_before(before, is_warm).await;
    }

    async fn set(settings: &[(&str, &str)], credentials: &'static str, certificates: Option<Certificates>) -> Self {
        let (process, ports) = Process::serving(&[&[("LOG_LEVEL", "debug")], settings].concat()).await;
        let stream = connect(certificates.as_ref(), Ipv4Addr::LOCALHOST, ports.consumer).await;
        let mut witness = Socket::open_over(stream, ports.consumer, "&uniqueUserId=room-1", &[]).await.unwrap();
        let answer = witness.authenticate(json!({ "token": token_now() })).await;
        assert!(answer.starts_with("40{"), "{answer}");
        Self { process, ports, witness, certificates, credentials }
    }

    /// Sends the case's input, and tells where the gateway answers otherwise than it should.
    async fn meets(&mut self, case: &Case) -> Result<(), String> {
        let mut session = None;
        let mut input = case.input.clone();
        if let Some(at) = find(&input, b"{sid}") {
            let opened = self.session().await;
            input.splice(at..at + b"{sid}".len(), opened.sid.bytes());
            session = Some(opened);
        }
        let addr = if case.port == Port::Producer { self.ports.producer } else { self.ports.consumer };
        let mut stream = connect(self.certificates.as_ref(), case.peer, addr).await;
        // The gateway may refuse and close while there is more to send; its answer is there to be read all the same.
        let _ = stream.write_all(&input).await;
        if case.ends {
            let _ = stream.shutdown().await;
        }
        let mut connection = Connection::over(stream);
        for (status, body) in &case.expected.answers {
            let answer = connection.answer(false).await.ok_or("closed without an answer")?;
            let is_opened = case.expected.then == Then::Opened && answer.body.starts_with(body);
            if is_opened {
                self.close_session(&answer.body).await;
            }
            if answer.status != *status || (answer.body != *body && !is_opened) {
                return Err(format!("{answer:?}"));
            }
        }
        let is_as_expected = match case.expected.then {
            Then::Closed => connection.closed().await,
            Then::Kept | Then::Opened => {
                let answer = connection.try_request(&format!("GET /favicon.ico{}", self.credentials), "").await;
                answer.is_some_and(|answer| answer.status == 404)
            }
        };
        if let Some(mut session) = session {
            session.post("1").await;
        }
        if is_as_expected { Ok(()) } else { Err(format!("not {:?}", case.expected.then)) }
    }

    /// Asserts that a publish is served, and that the witness heard what it should and nothing else.
    async fn is_served_after(&mut self, case: &Case) {
        let after = json!({ "after": case.name, "port": format!("{:?}", case.port) });
        let mut body = after.clone();
        body["target_id"] = json!("room-1");
        let mut publisher = self.connection(self.ports.producer).await;
        let answer = publisher.request(&format!("{PUBLISH}{}", self.credentials), body.to_string()).await;
        assert_eq!((answer.status, answer.body.as_str(), answer.header("x-receivers")), (200, "OK", "1"), "{after}");
        for heard in &case.expected.heard {
            assert_eq!(self.witness.packet().await, Some(format!(r#"42["room-1",{heard}]"#)), "{after}");
        }
        assert_eq!(self.witness.event().await, ("room-1".to_owned(), after));
    }

    async fn connection(&self, addr: SocketAddr) -> Connection {
        Connection::over(connect(self.certificates.as_ref(), Ipv4Addr::LOCALHOST, addr).await)
    }

    /// A polling session that is connected to room-2.
    async fn session(&self) -> Polling {
        let stream = connect(self.certificates.as_ref(), Ipv4Addr::LOCALHOST, self.ports.consumer).await;
        let (mut session, _) = Polling::open_over(stream, "&uniqueUserId=room-2", "").await.ok().unwrap();
        let answer = session.authenticate(json!({ "token": token_now() })).await;
        assert!(answer.starts_with("40{"), "{answer}");
        session
    }

    async fn close_session(&self, open: &str) {
        let open: serde_json::Value = serde_json::from_str(&open[1..]).unwrap();
        let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", open["sid"].as_str().unwrap());
        let answer = self.connection(self.ports.consumer).await.request(&format!("POST {path}"), "1").await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Open sockets, sessions, subscribers and files; and resident bytes.
    async fn gauges(&self) -> ([f64; 4], f64) {
        let metrics = ask_admin(self.ports.admin, "/metrics").await.body;
        let value = |name: &str| -> f64 {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().unwrap()
        };
        let gauges = ["roomcast_sockets", "roomcast_sessions", "roomcast_subscribers", "process_open_fds"].map(value);
        (gauges, value("process_resident_memory_bytes"))
    }

    /// Waits until the gauges are back, and holds the memory to what it was if the list was played before.
    async fn is_left_as_before(&mut self, (gauges, bytes): ([f64; 4], f64), is_warm: bool) {
        let begun = Instant::now();
        loop {
            let (now, bytes_now) = self.gauges().await;
            let left = bytes_now - bytes;
            let is_given_back = !is_warm || left <= LEFT_BYTES_MAX;
            if is_given_back && now.iter().zip(gauges).all(|(now, before)| *now <= before) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "sockets, sessions, subscribers, files: {now:?} after {gauges:?}; {left} bytes more than before"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the process in order, and looks for what its log must not hold.
    async fn end(mut self) {
        drop(self.witness);
        self.process.stop().await;
        for line in self.process.lines.iter().map(ToString::to_string) {
            assert!(line.len() <= 1024, "{line}");
            for secret in [MARK, SECRET, &token_now()] {
                assert!(!line.contains(secret), "{line}");
            }
        }
        assert!(self.process.lines.len() > 10, "the log was read");
    }
}

async fn connect(certificates: Option<&Certificates>, peer: Ipv4Addr, addr: SocketAddr) -> Box<dyn Stream> {
    let stream = dial_from(peer, addr).await;
    match certificates {
        Some(certificates) => Box::new(over_tls(stream, certificates.stranger()).await.expect("a handshake")),
        None => Box::new(stream),
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
