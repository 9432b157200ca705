//! Signals, drain, what the service manager is told of them, and the only place that spawns a task or a thread.
//!
//! A drain has three steps, each a token that every part of the process can wait for: `stopping` (no new connections or
//! sessions; requests under way are finished), `closing` (subscribers' transports are closed), `finished` (the
//! runtimes end).

pub mod config;
pub mod notify;
pub mod readiness;
pub mod signals;

use std::future::Future;
use std::io;
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

pub use config::Config;
pub use readiness::{Phase, Readiness};

/// The steps of a drain, and the tasks it waits for. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    /// No new connections or sessions from here on.
    pub stopping: CancellationToken,
    /// Transports are closed from here on: nothing more is read from a subscriber.
    pub closing: CancellationToken,
    /// The runtimes end.
    pub finished: CancellationToken,
    requests: TaskTracker,
    connections: TaskTracker,
}

impl Lifecycle {
    /// Runs a task that serves one HTTP connection of a subscriber on the current runtime. A drain waits for it.
    pub fn spawn_connection(&self, connection: impl Future<Output = ()> + Send + 'static) {
        self.connections.spawn(connection);
    }

    /// Runs a task of the current thread's own: a subscriber's websocket, or its wait. A drain waits for it.
    pub fn spawn_local(&self, task: impl Future<Output = ()> + 'static) {
        self.connections.spawn_local(task);
    }

    /// Runs what a worker does for its sessions, on the current thread until that ends.
    pub fn spawn_sessions(&self, work: impl Future<Output = ()> + 'static) {
        #[expect(clippy::disallowed_methods, reason = "this is the place")]
        tokio::task::spawn_local(work);
    }

    /// Runs a task that serves one connection of a publisher on the current runtime. A drain waits for it before it closes
    /// transports.
    pub fn spawn_publisher(&self, connection: impl Future<Output = ()> + Send + 'static) {
        self.requests.spawn(connection);
    }

    /// Counts a publisher's request under way until the token is dropped. A drain waits for it before it closes
    /// transports.
    pub fn request_under_way(&self) -> TaskTrackerToken {
        self.requests.token()
    }

    /// Runs a task until it ends or the process is finished.
    pub fn spawn_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let finished = self.finished.clone();
        #[expect(clippy::disallowed_methods, reason = "this is the place")]
        tokio::spawn(async move {
            tokio::select! {
                () = finished.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Runs a named thread.
    ///
    /// # Errors
    /// When the system refuses one more thread.
    pub fn spawn_thread<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        std::thread::Builder::new().name(name.to_owned()).spawn(work)
    }

    /// Waits until every publisher's request is answered. Call after `stopping` is cancelled.
    pub async fn requests_done(&self) {
        self.requests.close();
        self.requests.wait().await;
    }

    /// Waits until every subscriber's HTTP connection is served. Call after `closing` is cancelled.
    pub async fn connections_done(&self) {
        self.connections.close();
        self.connections.wait().await;
    }
}
