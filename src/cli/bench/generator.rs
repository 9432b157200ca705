//! A thread that makes load: its share of the subscribers and publishers, on a runtime of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::Context;
use tokio::task::JoinSet;

use super::recorder::Recorder;
use super::run::Run;
use super::{publisher, subscriber};

/// The measurements of a thread, shared by its tasks; nobody else waits for the lock.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Recorder>>);

impl Shared {
    /// The recorder, for a moment.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Recorder> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts thread `index` of `threads`. It ends when all publishers are done and the run is over.
///
/// # Errors
/// When the thread cannot be started.
pub(crate) fn spawn(run: Arc<Run>, index: u32, threads: u32) -> anyhow::Result<JoinHandle<anyhow::Result<Recorder>>> {
    let generate = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(generate(run, index, threads))
    };
    thread::Builder::new().name(format!("bench-{index}")).spawn(generate).context("cannot start a thread")
}

async fn generate(run: Arc<Run>, index: u32, threads: u32) -> anyhow::Result<Recorder> {
    let mine = |count: u32| (index..count).step_by(threads as usize);
    let recorder = Recorder::new(&run.plan, mine(run.plan.subscribers))?;
    let shared = Shared(Arc::new(Mutex::new(recorder)));
    let mut tasks = JoinSet::new();
    for (place, number) in mine(run.plan.subscribers).enumerate() {
        tasks.spawn(subscriber::listen(Arc::clone(&run), shared.clone(), number, place));
    }
    for number in mine(run.publishers()) {
        tasks.spawn(publisher::publish(Arc::clone(&run), shared.clone(), number));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.context("a task of the generator failed")?;
    }
    let recorder = Arc::into_inner(shared.0).context("a task of the generator outlived its run")?;
    Ok(recorder.into_inner().unwrap_or_else(PoisonError::into_inner))
}
