//! The server that answers: roomcast, or vrchats itself where `ROOMCAST_PARITY_ORIGINAL` names its folder.

use std::collections::BTreeMap;
use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use chrono::{Datelike, Days, NaiveDate, Utc};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::transcript::{Port, Transcript};
use crate::harness::certificates::Certificates;
use crate::harness::dial::{Stream, dial_from, over_tls};
use crate::harness::http::PATIENCE;
use crate::harness::process::free_port;
use crate::harness::{Gateway, ORIGIN, SECRET, TODAY, token_of};

/// A running server, with TLS on both ports.
pub struct Target {
    producer: SocketAddr,
    consumer: SocketAddr,
    certificates: Certificates,
    today: NaiveDate,
    server: Server,
}

enum Server {
    Roomcast { gateway: Gateway },
    Original { _process: Child },
}

/// A folder with vrchats' sources, each version in a folder of its own with its modules installed, to hold the
/// recordings against.
pub fn original() -> Option<String> {
    env::var("ROOMCAST_PARITY_ORIGINAL").ok()
}

impl Target {
    pub async fn start(transcript: &Transcript) -> Self {
        let certificates = Certificates::make();
        let mut all: BTreeMap<String, String> = transcript.settings.clone();
        all.extend(certificates.settings().into_iter().map(|(key, value)| (key.to_owned(), value)));
        match original() {
            Some(folder) => Self::start_original(&folder, &transcript.version, all, certificates).await,
            None => Self::start_roomcast(&all, certificates).await,
        }
    }

    async fn start_roomcast(settings: &BTreeMap<String, String>, certificates: Certificates) -> Self {
        // The limits as they are by default; the harness turns them off.
        let defaults = [("RATE_LIMIT", "1")].into_iter();
        let settings: Vec<_> =
            defaults.chain(settings.iter().map(|(key, value)| (key.as_str(), value.as_str()))).collect();
        let gateway = Gateway::start(&settings).await;
        let (year, month, day) = TODAY;
        Self {
            producer: gateway.producer(),
            consumer: gateway.consumer(),
            certificates,
            today: NaiveDate::from_ymd_opt(year, month, day).unwrap(),
            server: Server::Roomcast { gateway },
        }
    }

    async fn start_original(
        folder: &str,
        version: &str,
        settings: BTreeMap<String, String>,
        certificates: Certificates,
    ) -> Self {
        let has_one_port = version == "0.3.0";
        let consumer = free_port();
        let producer = if has_one_port { consumer } else { free_port() };
        let (http_port, websocket_port) = (producer.to_string(), consumer.to_string());
        let mut environment = BTreeMap::from([
            ("TRUST_CIDR_LIST", "127.0.0.0/8"),
            ("TRUST_PROXY_LIST", ""),
            ("TRUST_ORIGIN_LIST", ORIGIN),
            ("WEBSOCKET_AUTH", "1"),
            ("WEBSOCKET_AUTH_TOKEN_SECRET", SECRET),
            ("HTTP_PORT", &http_port),
            ("WEBSOCKET_PORT", &websocket_port),
            ("STANDALONE_PORT", &websocket_port),
        ]);
        environment.extend(settings.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        for (old, today) in [
            ("ALLOWED_IPS", "TRUST_CIDR_LIST"),
            ("ALLOWED_ORIGINS", "TRUST_ORIGIN_LIST"),
            ("AUTH_TOKEN_SECRET", "WEBSOCKET_AUTH_TOKEN_SECRET"),
        ] {
            environment.insert(old, environment[today]);
        }
        let mut command = Command::new("node");
        command.arg("app.js").current_dir(format!("{folder}/{version}")).stdout(Stdio::null()).kill_on_drop(true);
        let process = command.envs(environment).spawn().expect("node");
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let deadline = Instant::now() + PATIENCE;
        for port in [producer, consumer] {
            while TcpStream::connect(at(port)).await.is_err() {
                assert!(Instant::now() < deadline, "it does not listen");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Self {
            producer: at(producer),
            consumer: at(consumer),
            certificates,
            today: Utc::now().date_naive(),
            server: Server::Original { _process: process },
        }
    }

    pub fn address(&self, port: Port) -> SocketAddr {
        match port {
            Port::Producer => self.producer,
            Port::Consumer => self.consumer,
        }
    }

    /// How many events were handed to subscribers. An event counts before its publish is answered. vrchats tells none.
    pub fn deliveries(&self) -> Option<u64> {
        match &self.server {
            Server::Roomcast { gateway } => Some(gateway.stats().deliveries.get()),
            Server::Original { .. } => None,
        }
    }

    /// A connection with TLS; none when the server ends it instead.
    pub async fn dial(&self, port: Port, from: Ipv4Addr, with_certificate: bool) -> Option<impl Stream + use<>> {
        let client = match with_certificate {
            true => self.certificates.bearer(&self.certificates),
            false => self.certificates.stranger(),
        };
        over_tls(dial_from(from, self.address(port)).await, client).await.ok()
    }

    /// The daily tokens that a text names, put in.
    pub fn fill_in(&self, text: &str) -> String {
        let token = |day: NaiveDate| token_of((day.year(), day.month(), day.day()));
        let today = token(self.today);
        text.replace("{token}", &today)
            .replace("{TOKEN}", &today.to_uppercase())
            .replace("{yesterday}", &token(self.today - Days::new(1)))
            .replace("{tomorrow}", &token(self.today + Days::new(1)))
    }
}
