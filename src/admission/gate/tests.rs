//! The gates as a publisher and a subscriber meet them.

mod legacy;
mod proxy;
mod publisher;
mod subscriber;

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;

use governor::clock::FakeRelativeClock;
use http::HeaderName;
use serde_json::json;

use super::*;
use crate::admission::cidr::CidrList;
use crate::admission::config::{AuthConfig, ProxyConfig, TokenConfig};
use crate::admission::forwarded::ProxyHeader;
use crate::admission::origin::OriginList;
use crate::types::Secret;

fn cidr(text: &str) -> CidrList {
    CidrList::parse(text).unwrap().list
}

fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

/// Two networks of publishers, one origin, nobody's token, no limits.
fn config() -> Config {
    Config {
        publishers: cidr("1.2.3.0/24,2001:db8::/32"),
        origins: OriginList::parse("https://example.com").unwrap(),
        proxy: None,
        publishes_per_second: None,
        auth: AuthConfig::default(),
        rates: None,
        sessions_max: 1000,
        sessions_per_address_max: None,
        exempt: CidrList::default(),
    }
}

fn behind(header: ProxyHeader) -> Option<ProxyConfig> {
    Some(ProxyConfig { trusted: cidr("127.0.0.0/8"), header })
}

/// The same with limits, which do not hold for `exempt`.
fn limited(exempt: &str) -> Config {
    let rates = Some(RateConfig { per_address: number(20), per_user: UserRate::Waits(number(1)) });
    Config { rates, exempt: cidr(exempt), ..config() }
}

/// A gate, and all that a test moves or reads beside it.
struct House {
    gate: Gate<FakeRelativeClock>,
    rate_clock: FakeRelativeClock,
    wall_clock: Arc<Mutex<chrono::DateTime<chrono::Utc>>>,
    stats: Arc<Stats>,
}

impl House {
    fn new(config: Config) -> Self {
        let rate_clock = FakeRelativeClock::default();
        let wall_clock = Arc::new(Mutex::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let shown = Arc::clone(&wall_clock);
        let clock = Clock::from_fn(move || *shown.lock().unwrap());
        let stats = Arc::<Stats>::default();
        let gate = Gate::with_rate_clock(config, clock, Arc::clone(&stats), &rate_clock);
        Self { gate, rate_clock, wall_clock, stats }
    }

    fn refusals(&self, cause: Cause) -> u64 {
        self.stats.refusals(cause).get()
    }

    /// Every refusal that was counted.
    fn all_refusals(&self) -> u64 {
        Cause::ALL.iter().map(|cause| self.refusals(*cause)).sum()
    }
}

fn peer(ip: &str) -> PeerAddr {
    PeerAddr::new(SocketAddr::new(ip.parse().unwrap(), 40_000))
}

fn addr(ip: &str) -> ClientAddr {
    ClientAddr::new(ip.parse().unwrap())
}

fn client(ip: &str) -> Client {
    Client { peer: peer(ip), addr: addr(ip), forwarded: None, limited: true }
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let lines = lines.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
    lines.collect()
}

/// What `act` logs, as JSON lines.
fn logged<T>(act: impl FnOnce() -> T) -> String {
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let sink = Sink::default();
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _ = tracing::subscriber::with_default(subscriber, act);
    let bytes = sink.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}
