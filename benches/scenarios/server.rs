//! The servers that are measured, each a process of its own: ours, the floor and the oracle.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, io};

use anyhow::{Context, ensure};
use chrono::Utc;
use roomcast::admission::token::daily_token;
use roomcast::types::Secret;

use super::certificate::{CERTIFICATE, KEY};
use super::pin::{Cores, Place};
use super::usage::{Usage, usage};

/// How long a server may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server is left alone before its memory counts as that of an idle process.
const IDLE: Duration = Duration::from_millis(300);
const SECRET: &str = "a secret of the benchmark";

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The `roomcast` that is built for release.
    Ours,
    /// The least that the work can cost; see `floor.rs`.
    Floor,
    /// socketioxide; see `oracle.rs`.
    Oracle,
}

impl Kind {
    /// In the order of their turns.
    pub const ALL: [Self; 3] = [Self::Ours, Self::Floor, Self::Oracle];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Floor => "floor",
            Self::Oracle => "oracle",
        }
    }
}

/// How a server is started.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// TLS on both ports.
    pub tls: bool,
    /// Threads that serve; the yardsticks have one.
    pub workers: usize,
    /// Where it runs.
    pub place: Place,
}

impl Setup {
    /// One worker on the servers' core, with TLS.
    pub const USUAL: Self = Self { tls: true, workers: 1, place: Place::Pinned };
}

/// A running server; dropping it ends it.
pub struct Server {
    child: Child,
    /// Where to publish.
    pub producer: SocketAddr,
    /// Where to listen.
    pub consumer: SocketAddr,
    /// What it used before anybody came.
    pub idle: Usage,
}

/// Starts servers.
pub struct Starter {
    roomcast: PathBuf,
    /// Holds the certificate.
    pub folder: PathBuf,
    /// Who runs where.
    pub cores: Cores,
}

impl Starter {
    /// With the command `roomcast` that `ROOMCAST` names, or else as it is shipped: `cargo bench` has linked it with the
    /// features that tests ask of its dependencies, so it is built again without.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn new(folder: &Path, cores: Cores) -> anyhow::Result<Self> {
        let roomcast = match env::var_os("ROOMCAST") {
            Some(path) => PathBuf::from(path).canonicalize().context("ROOMCAST")?,
            None => build()?,
        };
        Ok(Self { roomcast, folder: folder.to_owned(), cores })
    }

    /// Starts a server and waits until it listens.
    ///
    /// # Errors
    /// When it does not.
    pub fn start(&self, kind: Kind, setup: Setup) -> anyhow::Result<Server> {
        let [producer, consumer] = free_ports()?;
        let mut command = match kind {
            Kind::Ours => self.ours(setup, producer, consumer),
            Kind::Floor | Kind::Oracle => self.yardstick(kind, setup, producer, consumer)?,
        };
        command.stdin(Stdio::null()).stdout(io::stderr());
        let child = self.cores.start_at(setup.place, || command.spawn().with_context(|| format!("{command:?}")))?;
        let mut server = Server { child, producer, consumer, idle: Usage::default() };
        server.wait_until_listening().with_context(|| kind.name())?;
        thread::sleep(IDLE);
        server.idle = server.usage()?;
        Ok(server)
    }

    fn ours(&self, setup: Setup, producer: SocketAddr, consumer: SocketAddr) -> Command {
        let mut command = Command::new(&self.roomcast);
        command.env_clear().current_dir(&self.folder);
        command.envs([
            ("HOST", "127.0.0.1"),
            ("ADMIN_ADDR", ""),
            ("TRUST_CIDR_LIST", "127.0.0.0/8"),
            ("TRUST_ORIGIN_LIST", super::load::ORIGIN),
            ("WEBSOCKET_AUTH", "1"),
            ("WEBSOCKET_AUTH_TOKEN_SECRET", SECRET),
            ("RATE_LIMIT", "0"),
            ("LOG_LEVEL", "error"),
            ("TLS", if setup.tls { "1" } else { "0" }),
            ("PUB_KEY_PATH", CERTIFICATE),
            ("PRIV_KEY_PATH", KEY),
            ("CLUSTER_MODE", if setup.workers == 1 { "0" } else { "1" }),
        ]);
        command.env("CLUSTER_INSTANCES", setup.workers.to_string());
        command.env("HTTP_PORT", producer.port().to_string());
        command.env("WEBSOCKET_PORT", consumer.port().to_string());
        command
    }

    /// This very program, as `main.rs` starts a yardstick.
    fn yardstick(
        &self,
        kind: Kind,
        setup: Setup,
        producer: SocketAddr,
        consumer: SocketAddr,
    ) -> anyhow::Result<Command> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(kind.name()).arg(producer.to_string()).arg(consumer.to_string());
        if setup.tls {
            command.arg(&self.folder);
        }
        Ok(command)
    }
}

impl Server {
    /// What it has used until now.
    ///
    /// # Errors
    /// When it has ended.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        usage(self.child.id())
    }

    fn wait_until_listening(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        for port in [self.producer, self.consumer] {
            while TcpStream::connect(port).is_err() {
                ensure!(self.child.try_wait()?.is_none(), "it ended at its start");
                ensure!(Instant::now() < deadline, "it does not listen after {START_TIMEOUT:?}");
                thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill(); // fails when it has ended, and then there is nothing to do
        let _ = self.child.wait();
    }
}

/// Today's token, which lets a subscriber in.
pub fn token() -> String {
    daily_token(&Secret::new(SECRET), Utc::now().date_naive())
}

/// Two ports that nobody listens on. Both are held until both are known.
fn free_ports() -> io::Result<[SocketAddr; 2]> {
    let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    let [producer, consumer] = listeners.each_ref().map(TcpListener::local_addr);
    Ok([producer?, consumer?])
}

fn build() -> anyhow::Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--locked", "--release", "--bin", "roomcast"]).current_dir(source);
    ensure!(command.status()?.success(), "roomcast cannot be built");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| source.join("target"), PathBuf::from);
    Ok(source.join(target).join("release/roomcast"))
}
