//! HTTP that no honest client sends, case by case on both ports of a gateway process: the exact answer or a close, nothing
//! emitted, the next publish served, and at the end as many sockets, sessions, files and bytes as before.

mod bodies;
mod framing;
mod heads;
mod proxies;
mod runner;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use crate::harness::process::free_port;
use runner::{play, play_encrypted, play_once};

/// What the bodies and some headers hold, and no log line may.
const MARK: &str = "hunter2";
/// A publish that would be taken, and what of it subscribers would hear.
const BODY: &str = r#"{"target_id":"room-1","x":"hunter2"}"#;
const HEARD: &str = r#"{"x":"hunter2"}"#;
/// A polling payload that would be taken; the event in it is of no use to a gateway.
const PACKET: &str = r#"42["room-1",{"x":"hunter2"}]"#;
/// The path of a session that is connected; the session's id comes in for the mark.
const SESSION: &str = "/socket.io/?EIO=4&transport=polling&sid={sid}";

const TRANSPORT_UNKNOWN: &str = r#"{"code":0,"message":"Transport unknown"}"#;
const ENGINE_BAD_REQUEST: &str = r#"{"code":3,"message":"Bad request"}"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Port {
    Producer,
    Consumer,
}

/// One input and what becomes of it.
struct Case {
    name: &'static str,
    port: Port,
    input: Vec<u8>,
    /// Whether the client closes its side after the input.
    ends: bool,
    peer: Ipv4Addr,
    expected: Expected,
}

/// Every answer, in order, and what follows them.
struct Expected {
    answers: Vec<(u16, String)>,
    then: Then,
    /// What the witness hears, in order. Nothing, unless the input holds a valid publish.
    heard: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The connection serves another request.
    Kept,
    Closed,
    /// The one answer opened a session; its body begins with an open packet.
    Opened,
}

impl Expected {
    fn new(then: Then, status: u16, body: impl Into<String>) -> Self {
        Self { answers: vec![(status, body.into())], then, heard: Vec::new() }
    }

    /// An answer, and the connection is closed.
    fn refused(status: u16, body: impl Into<String>) -> Self {
        Self::new(Then::Closed, status, body)
    }

    /// An answer, and the connection is kept.
    fn kept(status: u16, body: impl Into<String>) -> Self {
        Self::new(Then::Kept, status, body)
    }

    /// Not a byte.
    fn closed() -> Self {
        Self { answers: Vec::new(), then: Then::Closed, heard: Vec::new() }
    }

    /// The valid publish in the input is heard.
    fn hearing(mut self, heard: impl Into<String>) -> Self {
        self.heard.push(heard.into());
        self
    }

    /// One more answer, after which the connection is closed.
    fn and_then(mut self, status: u16, body: &str) -> Self {
        self.answers.push((status, body.to_owned()));
        self.then = Then::Closed;
        self
    }
}

impl Case {
    fn new(name: &'static str, port: Port, input: impl Into<Vec<u8>>, expected: Expected) -> Self {
        Self { name, port, input: input.into(), ends: false, peer: Ipv4Addr::LOCALHOST, expected }
    }

    /// The client sends nothing more and says so.
    fn ending(mut self) -> Self {
        self.ends = true;
        self
    }

    fn from(mut self, peer: [u8; 4]) -> Self {
        self.peer = peer.into();
        self
    }
}

/// Express' page for what is not there.
fn page(line: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n\
         <pre>Cannot {line}</pre>\n</body>\n</html>\n"
    )
}

/// Plays those of the cases on lengths and chunks that have these names.
pub(crate) async fn play_framing(names: &[&str]) {
    let cases: Vec<_> = framing::cases().into_iter().filter(|case| names.contains(&case.name)).collect();
    for name in names {
        assert!(cases.iter().any(|case| case.name == *name), "no case is {name}");
    }
    play_once(&[], cases).await;
}

#[tokio::test]
async fn lengths_and_chunks() {
    play(&[], "", framing::cases()).await;
}

#[tokio::test]
async fn request_lines_and_headers() {
    play(&[], "", heads::cases()).await;
}

#[tokio::test]
async fn bodies_and_targets() {
    play(&[], "", bodies::cases()).await;
}

/// Where both ports are one, the consumer's loop serves publishers too.
#[tokio::test]
async fn framing_and_heads_on_one_port() {
    let port = free_port().to_string();
    let cases = framing::cases().into_iter().chain(heads::cases());
    play_once(&[("HTTP_PORT", &port), ("WEBSOCKET_PORT", &port)], cases.collect()).await;
}

#[tokio::test]
async fn framing_and_heads_over_tls() {
    play_encrypted(framing::cases().into_iter().chain(heads::cases()).collect()).await;
}

#[tokio::test]
async fn forwarded_addresses() {
    let settings =
        [("USE_PROXY", "1"), ("TRUST_PROXY_LIST", "127.0.0.1, 10.0.0.0/8"), ("TRUST_CIDR_LIST", "1.2.3.0/24")];
    play(&settings, "\nX-Forwarded-For: 1.2.3.4", proxies::forwarded_for()).await;
}

#[tokio::test]
async fn the_address_that_cloudflare_tells() {
    let settings = [
        ("USE_PROXY", "1"),
        ("PROXY_HEADER", "cf-connecting-ip"),
        ("TRUST_PROXY_LIST", "127.0.0.1"),
        ("TRUST_CIDR_LIST", "1.2.3.0/24"),
    ];
    play(&settings, "\nCF-Connecting-IP: 1.2.3.4", proxies::cf_connecting_ip()).await;
}

#[test]
fn each_case_has_a_name_of_its_own_on_its_port() {
    let cases =
        [framing::cases(), heads::cases(), bodies::cases(), proxies::forwarded_for(), proxies::cf_connecting_ip()];
    let mut seen = BTreeSet::new();
    for case in cases.iter().flatten() {
        assert!(seen.insert((case.port, case.name)), "{:?} {} stands there twice", case.port, case.name);
    }
    let of = |port| seen.iter().filter(|(on, _)| *on == port).count();
    assert!(of(Port::Producer) >= 60 && of(Port::Consumer) >= 60, "{} and {}", of(Port::Producer), of(Port::Consumer));
}
