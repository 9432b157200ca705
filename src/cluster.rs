//! Worker threads of one process: each a current-thread runtime with listeners of its own.

use std::future::Future;
use std::io;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::task::LocalSet;

use crate::lifecycle::Lifecycle;

/// The settings of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// `CLUSTER_MODE`, `CLUSTER_INSTANCES`: worker threads, at least 1.
    pub workers: usize,
}

/// Starts one worker: a thread whose runtime runs `work`, and then lives until the lifecycle is finished. The handle is
/// the runtime's.
///
/// # Errors
/// When the system refuses a thread or a runtime.
pub fn start_worker<F>(
    index: usize,
    lifecycle: &Lifecycle,
    work: impl FnOnce() -> F + Send + 'static,
) -> io::Result<(JoinHandle<()>, Handle)>
where
    F: Future<Output = ()> + 'static,
{
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let finished = lifecycle.finished.clone();
    let handle = runtime.handle().clone();
    let thread = lifecycle.spawn_thread(&format!("worker-{index}"), move || {
        // Sessions are not shared between threads, so their tasks need not be fit for it.
        LocalSet::new().block_on(&runtime, async {
            work().await;
            finished.cancelled().await;
        });
    })?;
    Ok((thread, handle))
}
