//! A gateway of the test's own, on free ports of loopback, and the clients that talk to it.

pub mod certificates;
pub mod dial;
pub mod http;
pub mod node;
pub mod polling;
pub mod process;
pub mod socket;
pub mod websocket;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use roomcast::admission::token::daily_token;
use roomcast::app::{App, Drained, Running};
use roomcast::config::{self, Config, Machine, Sources};
use roomcast::listen::TlsError;
use roomcast::subscriber::Application;
use roomcast::types::{Clock, Secret, Stats};
use serde_json::{Value, json};

use http::{Answer, Connection};
use socket::Socket;

/// The subscribers' secret of every gateway here.
pub const SECRET: &str = "some-nasty-secret";
/// The browser origin that every gateway here allows.
pub const ORIGIN: &str = "https://app.test";
/// The day on which a gateway's clock stands unless the test moves it.
pub const TODAY: (i32, u32, u32) = (2026, 11, 21);

/// A running gateway inside the test's process, with a clock that the test may set.
pub struct Gateway {
    running: Running,
    now: Arc<Mutex<DateTime<Utc>>>,
}

impl Gateway {
    /// Plain ports, one worker, loopback trusted, daily token; `settings` come on top.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let (year, month, day) = TODAY;
        Self::start_at(&format!("{year}-{month:02}-{day:02}T12:00:00Z"), settings).await
    }

    /// The same with the clock at another time than noon of [`TODAY`].
    pub async fn start_at(time: &str, settings: &[(&str, &str)]) -> Self {
        Self::run(App::bind(config(settings), Arc::new(Stats::default())).unwrap(), time)
    }

    /// No gateway, but the same engine with an application that hears its clients, who have so long to connect.
    pub async fn start_hearing(
        application: impl Application,
        connect_timeout: Duration,
        settings: &[(&str, &str)],
    ) -> Self {
        let mut config = config(settings);
        config.subscriber.connect_timeout = connect_timeout;
        let mut app = App::bind(config, Arc::new(Stats::default())).unwrap();
        app.serve_application(Arc::new(application));
        Self::run(app, "2026-11-21T12:00:00Z")
    }

    fn run(app: App, time: &str) -> Self {
        let now = Arc::new(Mutex::new(time.parse::<DateTime<Utc>>().unwrap()));
        let clock = Arc::clone(&now);
        let running = app.run(Clock::from_fn(move || *clock.lock().unwrap())).unwrap();
        Self { running, now }
    }

    pub fn producer(&self) -> SocketAddr {
        self.running.addresses().producer
    }

    pub fn consumer(&self) -> SocketAddr {
        self.running.addresses().consumer
    }

    pub fn consumer_url(&self) -> String {
        format!("http://{}", self.consumer())
    }

    pub fn stats(&self) -> &Stats {
        self.running.stats()
    }

    /// Sets the gateway's wall clock.
    pub fn set_clock(&self, now: DateTime<Utc>) {
        *self.now.lock().unwrap() = now;
    }

    /// Publishes a body over a connection of its own.
    pub async fn post(&self, body: impl AsRef<[u8]>) -> Answer {
        let mut connection = Connection::open(self.producer()).await;
        connection.request("POST /publish\nContent-Type: application/json", body).await
    }

    /// The answer to a request on a connection of its own to the producer port.
    pub async fn ask_producer(&self, head: &str, body: impl AsRef<[u8]>) -> Answer {
        Connection::open(self.producer()).await.request(head, body).await
    }

    /// The answer to a request on a connection of its own to the consumer port.
    pub async fn ask_consumer(&self, head: &str, body: impl AsRef<[u8]>) -> Answer {
        Connection::open(self.consumer()).await.request(head, body).await
    }

    /// Publishes `message` to `room` and expects that it is taken.
    pub async fn publish(&self, room: &str, message: &Value) {
        let mut body = message.clone();
        body["target_id"] = json!(room);
        let answer = self.post(body.to_string()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
    }

    /// A subscriber of `room` that is connected.
    pub async fn subscribe(&self, room: &str) -> Socket {
        self.subscribe_all(&[room]).await
    }

    /// A websocket with this query that sent CONNECT with `auth`, and the answer.
    pub async fn connect(&self, query: &str, auth: Value) -> (Socket, String) {
        Socket::connect(self.consumer(), query, auth).await
    }

    /// A subscriber of several rooms, or of none, that is connected with the day's token.
    pub async fn subscribe_all(&self, rooms: &[&str]) -> Socket {
        let query: String = rooms.iter().map(|room| format!("&uniqueUserId={room}")).collect();
        let (socket, answer) = self.connect(&query, json!({ "token": token() })).await;
        assert!(answer.starts_with("40{"), "{answer}");
        socket
    }

    /// Waits until the gateway's numbers are as `reached` wants them.
    pub async fn until(&self, reached: impl Fn(&Stats) -> bool) {
        let deadline = Instant::now() + http::PATIENCE;
        while !reached(self.stats()) {
            assert!(Instant::now() < deadline, "{:#?}", self.stats());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until no session is left.
    pub async fn emptied(&self) {
        self.until(|stats| stats.sessions.get() == 0 && stats.subscribers.get() == 0).await;
    }

    /// Asserts that `subscriber` of `room` was sent nothing so far: what is published last arrives first.
    pub async fn expect_silence(&self, subscriber: &mut Socket, room: &str) {
        self.publish(room, &json!({ "last": true })).await;
        assert_eq!(subscriber.event().await, (room.to_owned(), json!({ "last": true })));
    }

    /// Has the gateway read its certificates again.
    pub fn reload_certificates(&self) -> Result<(), TlsError> {
        self.running.reload_certificates()
    }

    pub async fn drain(self) -> Drained {
        self.running.drain().await
    }
}

fn config(settings: &[(&str, &str)]) -> Config {
    let sources = Sources {
        flags: BTreeMap::new(),
        environment: environment(settings),
        env_file: None,
        default_env_file: None,
        machine: Machine { stdout_is_terminal: false, files_max: 20_000, cores: 2, memory_bytes: 8 << 30 },
    };
    config::load(&sources).unwrap_or_else(|faults| panic!("{faults}")).config
}

/// The environment of a gateway here, as settings.
pub fn environment(settings: &[(&str, &str)]) -> BTreeMap<String, String> {
    let defaults = [
        ("HOST", "127.0.0.1"),
        ("HTTP_PORT", "0"),
        ("WEBSOCKET_PORT", "0"),
        ("ADMIN_ADDR", "127.0.0.1:0"),
        ("TLS", "0"),
        ("TRUST_CIDR_LIST", "127.0.0.0/8"),
        ("TRUST_ORIGIN_LIST", ORIGIN),
        ("WEBSOCKET_AUTH", "1"),
        ("WEBSOCKET_AUTH_TOKEN_SECRET", SECRET),
        ("RATE_LIMIT", "0"),
        ("CLUSTER_MODE", "0"),
    ];
    defaults.iter().chain(settings).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The daily token of [`TODAY`].
pub fn token() -> String {
    token_of(TODAY)
}

/// The daily token of a day.
pub fn token_of((year, month, day): (i32, u32, u32)) -> String {
    daily_token(&Secret::new(SECRET), NaiveDate::from_ymd_opt(year, month, day).unwrap())
}
