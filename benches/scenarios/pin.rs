//! Which core runs what: the servers one, the load another, so that neither takes the other's time.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores of this process, and the two that matter.
#[derive(Clone, Copy)]
pub struct Cores {
    all: CpuSet,
    server: usize,
    load: usize,
}

/// Where a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the one core that is the servers'.
    Pinned,
    /// Wherever there is time.
    Anywhere,
}

impl Cores {
    /// Takes the first two of the cores that this process may use.
    ///
    /// # Errors
    /// When there is but one.
    pub fn take() -> anyhow::Result<Self> {
        let all = sched_getaffinity(None)?;
        let mut usable = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
        match (usable.next(), usable.next()) {
            (Some(server), Some(load)) => Ok(Self { all, server, load }),
            _ => anyhow::bail!("a benchmark needs two cores: one for the server, one for the load"),
        }
    }

    /// Runs `start`, whose child processes inherit where this thread runs meanwhile. Then the thread is the load's again.
    ///
    /// # Errors
    /// When the kernel refuses, or `start` fails.
    pub fn start_at<T>(&self, place: Place, start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let cores = if place == Place::Pinned { only(self.server) } else { self.all };
        sched_setaffinity(None, &cores)?;
        let started = start();
        sched_setaffinity(None, &only(self.load))?;
        started
    }
}

fn only(core: usize) -> CpuSet {
    let mut cores = CpuSet::new();
    cores.set(core);
    cores
}
