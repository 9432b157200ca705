//! The composition root: settings, then an [`App`] that is bound, then one that is [`Running`], then [`Drained`].
//! Each step consumes the one before, so nothing can be half started.

mod consumer;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use tokio::runtime::Handle;

use crate::admission::{Admission, Gate};
use crate::cluster;
use crate::config::Config;
use crate::hub::Hub;
use crate::lifecycle::{Lifecycle, Readiness, notify};
use crate::listen::{self, Audience, Port, Tls, TlsError, serve_port};
use crate::ops::{self, Admin, Metrics};
use crate::producer::Producer;
use crate::publish::Publisher;
use crate::subscriber::application::{Application, Deaf};
use crate::subscriber::{SubscriberWorker, Subscribers};
use crate::types::{Clock, Stats};
use consumer::Consumer;

/// How often the limiters' tables are swept.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// What keeps the gateway from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A port cannot be bound.
    #[error("{key}: cannot listen on {addr}; {}", mend_of_bind(source))]
    Bind {
        /// The setting that names the port.
        key: &'static str,
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system refuses a thread or a runtime.
    #[error("cannot start a worker")]
    Worker(#[source] io::Error),
}

/// The addresses that are really bound, also where the settings say port 0.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// The producer port.
    pub producer: SocketAddr,
    /// The consumer port.
    pub consumer: SocketAddr,
    /// The admin listener.
    pub admin: Option<SocketAddr>,
}

/// A gateway whose ports are bound and whose certificates are read; nothing is served yet.
pub struct App {
    config: Config,
    stats: Arc<Stats>,
    lifecycle: Lifecycle,
    readiness: Readiness,
    addresses: Addresses,
    producer: Option<(Port, Vec<TcpListener>)>,
    consumer: (Port, Vec<TcpListener>),
    admin: Option<TcpListener>,
    demo: Option<Router>,
    application: Arc<dyn Application>,
}

impl App {
    /// Reads the certificates and binds every port. What the gateway counts goes to `stats`.
    ///
    /// # Errors
    /// When a certificate cannot be used or a port is taken.
    pub fn bind(config: Config, stats: Arc<Stats>) -> Result<Self, StartError> {
        let lifecycle = Lifecycle::default();
        let listen = &config.listen;
        let shared = listen.producer_port == listen.consumer_port && listen.producer_port != 0;
        let workers = config.cluster.workers;

        let consumer = Port {
            audience: Audience::Subscribers,
            tls: load_tls(listen, |ports| ports.consumer)?,
            write_timeout: listen.write_timeout,
            sockets: Arc::clone(&stats.sockets),
            sockets_max: listen.sockets_max,
            lifecycle: lifecycle.clone(),
            stats: Arc::clone(&stats),
        };
        let consumer = (consumer, bind("WEBSOCKET_PORT", listen.host, listen.consumer_port, workers)?);
        let producer = if shared {
            None
        } else {
            let tls = load_tls(listen, |ports| ports.producer)?;
            let sockets = Arc::clone(&stats.publisher_sockets);
            let port = Port {
                audience: Audience::Publishers,
                tls,
                sockets,
                sockets_max: listen.publisher_sockets_max,
                ..consumer.0.clone()
            };
            Some((port, bind("HTTP_PORT", listen.host, listen.producer_port, workers)?))
        };
        let admin = match config.ops.admin_addr {
            Some(addr) => bind("ADMIN_ADDR", addr.ip(), addr.port(), 1)?.into_iter().next(),
            None => None,
        };

        let addresses = Addresses {
            consumer: local_addr(&consumer.1)?,
            producer: local_addr(producer.as_ref().map_or(&consumer.1, |(_, listeners)| listeners))?,
            admin: admin.as_ref().and_then(|listener| listener.local_addr().ok()),
        };
        let readiness = Readiness::default();
        let application = Arc::new(Deaf);
        Ok(Self { config, stats, lifecycle, readiness, addresses, producer, consumer, admin, demo: None, application })
    }

    /// The addresses that are bound.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Serves `demo` below `/demo` of the consumer port.
    pub fn serve_demo(&mut self, demo: Router) {
        self.demo = Some(demo);
    }

    /// Has `application` hear what subscribers send, which a gateway does not.
    pub fn serve_application(&mut self, application: Arc<dyn Application>) {
        self.application = application;
    }

    /// Starts the workers and the admin listener. `clock` tells the day of the token. Call it inside a runtime, which then
    /// tells the service manager that the workers live.
    ///
    /// # Errors
    /// When the system refuses a thread or a runtime.
    pub fn run(self, clock: Clock) -> Result<Running, StartError> {
        let started = clock.now();
        let workers = self.consumer.1.len();
        let hub = Hub::new(workers, Arc::clone(&self.stats));
        let gate = Gate::new(self.config.admission, clock, Arc::clone(&self.stats));
        let admission: Arc<dyn Admission> = gate.clone();
        let (config, application) = (&self.config.subscriber, &self.application);
        let subscribers =
            Subscribers::new(workers, config, &hub, &admission, application, &self.lifecycle, &self.stats);
        let publishing = Arc::new(Producer {
            gate: Arc::clone(&gate),
            publisher: Publisher::new(self.config.publish, hub, Arc::clone(&self.stats)),
            config: self.config.producer.clone(),
            stopping: self.lifecycle.stopping.clone(),
            stats: Arc::clone(&self.stats),
        });

        let beside_subscribers = self.producer.is_none().then(|| Arc::clone(&publishing));
        let tls = [&self.consumer.0.tls, &self.producer.as_ref().and_then(|(port, _)| port.tls.clone())]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        // It reaches the sessions of every worker.
        let closer = subscribers.first().map(|(subscribers, _)| subscribers.clone());
        let (mut threads, mut runtimes) = (Vec::new(), Vec::new());
        let mut producers = self
            .producer
            .into_iter()
            .flat_map(|(port, listeners)| listeners.into_iter().map(move |listener| (listener, port.clone())));
        for (index, (listener, (subscribers, sessions))) in self.consumer.1.into_iter().zip(subscribers).enumerate() {
            let consumer = Consumer {
                subscribers: subscribers.taking_back(consumer::take_back),
                demo: self.demo.clone(),
                lifecycle: self.lifecycle.clone(),
                producer: beside_subscribers.clone(),
            };
            let worker = Worker {
                consumer: (listener, self.consumer.0.clone(), consumer),
                sessions,
                producer: producers.next().map(|(listener, port)| (listener, port, Arc::clone(&publishing))),
                sweeps: (index == 0).then(|| Arc::clone(&gate)),
            };
            let (thread, runtime) = worker.start(index, &self.lifecycle)?;
            threads.push(thread);
            runtimes.push(runtime);
        }
        if let Some(listener) = self.admin {
            let state = Admin {
                token: self.config.ops.admin_token,
                readiness: self.readiness.clone(),
                metrics: Metrics::new(Arc::clone(&self.stats), started),
            };
            threads.push(start_admin(listener, state, &self.lifecycle)?);
        }
        self.lifecycle.spawn_background(notify::watchdog(runtimes));
        self.readiness.set_ready();
        Ok(Running {
            addresses: self.addresses,
            stats: self.stats,
            lifecycle: self.lifecycle,
            readiness: self.readiness,
            drain_timeout: self.config.lifecycle.drain_timeout,
            subscribers: closer,
            tls,
            threads,
        })
    }
}

fn load_tls(
    config: &listen::Config,
    wants_client_certificate: impl Fn(listen::ClientCertificates) -> bool,
) -> Result<Option<Tls>, TlsError> {
    let load = |tls: &listen::TlsConfig| Tls::load(tls, wants_client_certificate(tls.client_certificates));
    config.tls.as_ref().map(load).transpose()
}

fn bind(key: &'static str, host: std::net::IpAddr, port: u16, workers: usize) -> Result<Vec<TcpListener>, StartError> {
    listen::bind(host, port, workers).map_err(|source| StartError::Bind {
        key,
        addr: SocketAddr::new(host, port),
        source,
    })
}

fn mend_of_bind(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "somebody listens there (`ss -ltnp` shows who); end that, or give another port",
        io::ErrorKind::AddrNotAvailable => {
            "the address is none of this machine's; set HOST (or ADMIN_ADDR) to one that is"
        }
        io::ErrorKind::PermissionDenied => "ports under 1024 need CAP_NET_BIND_SERVICE; give a higher port",
        _ => "is the address this machine's, and does nobody else listen there?",
    }
}

fn local_addr(listeners: &[TcpListener]) -> Result<SocketAddr, StartError> {
    let listener = listeners.first().ok_or_else(|| StartError::Worker(io::Error::other("no workers")))?;
    listener.local_addr().map_err(StartError::Worker)
}

fn start_admin(listener: TcpListener, state: Admin, lifecycle: &Lifecycle) -> Result<JoinHandle<()>, StartError> {
    let finished = lifecycle.finished.clone();
    let serve = move || {
        if let Err(error) = ops::admin::run(listener, state, finished) {
            tracing::error!(%error, "the admin listener ended");
        }
    };
    lifecycle.spawn_thread("admin", serve).map_err(StartError::Worker)
}

/// What one worker serves.
struct Worker {
    consumer: (TcpListener, Port, Consumer),
    sessions: SubscriberWorker,
    producer: Option<(TcpListener, Port, Arc<Producer>)>,
    sweeps: Option<Arc<Gate>>,
}

impl Worker {
    fn start(self, index: usize, lifecycle: &Lifecycle) -> Result<(JoinHandle<()>, Handle), StartError> {
        let shared = lifecycle.clone();
        cluster::start_worker(index, lifecycle, move || self.serve(shared)).map_err(StartError::Worker)
    }

    async fn serve(self, lifecycle: Lifecycle) {
        if let Some((listener, port, producer)) = self.producer {
            let answer = move |peer, request| {
                let producer = Arc::clone(&producer);
                async move { producer.answer(peer, request).await }
            };
            lifecycle.spawn_background(async move {
                if let Err(error) = serve_port(listener, port, answer).await {
                    tracing::error!(%error, "the producer port ended");
                }
            });
        }
        if let Some(gate) = self.sweeps {
            lifecycle.spawn_background(async move {
                loop {
                    tokio::time::sleep(SWEEP_INTERVAL).await;
                    gate.sweep();
                }
            });
        }
        lifecycle.spawn_sessions(self.sessions.run());
        let (listener, port, consumer) = self.consumer;
        let answer = move |peer, request| {
            let consumer = consumer.clone();
            async move { consumer.answer(peer, request).await }
        };
        if let Err(error) = serve_port(listener, port, answer).await {
            tracing::error!(%error, "the consumer port ended");
        }
    }
}

/// A gateway that serves.
pub struct Running {
    addresses: Addresses,
    stats: Arc<Stats>,
    lifecycle: Lifecycle,
    readiness: Readiness,
    drain_timeout: Duration,
    subscribers: Option<Subscribers>,
    tls: Vec<Tls>,
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    /// The addresses that are bound.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// What the gateway counts.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Reads the certificates again. New connections use them; if any cannot be used, the old ones stay.
    ///
    /// # Errors
    /// When a certificate cannot be used.
    pub fn reload_certificates(&self) -> Result<(), TlsError> {
        self.tls.iter().try_for_each(Tls::reload)
    }

    /// Ends in order: not ready, no new connections, requests answered, transports closed. Whatever is left after the
    /// drain's time is cut off.
    pub async fn drain(self) -> Drained {
        self.readiness.set_draining();
        self.lifecycle.stopping.cancel();
        let in_order = async {
            // A publisher that stops in the middle of a body must not keep subscribers from an orderly end; of what it
            // did not finish nothing was emitted.
            let _ = tokio::time::timeout(self.drain_timeout / 2, self.lifecycle.requests_done()).await;
            self.lifecycle.closing.cancel();
            if let Some(subscribers) = &self.subscribers {
                subscribers.close().await;
            }
            self.lifecycle.connections_done().await;
        };
        let clean = tokio::time::timeout(self.drain_timeout, in_order).await.is_ok();
        self.lifecycle.closing.cancel();
        self.lifecycle.finished.cancel();
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().map(JoinHandle::join).filter(Result::is_err).count()
        });
        let panicked = joined.await.unwrap_or_default();
        Drained { clean: clean && panicked == 0 }
    }
}

/// A gateway that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// False when something had to be cut off.
    pub clean: bool,
}
