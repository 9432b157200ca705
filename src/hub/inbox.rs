//! What a worker has to fan out, in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::types::Publication;

/// Bytes that may wait for one worker. A publish that finds more is refused and comes again.
pub(super) const BYTES_MAX: usize = 64 << 20;

/// What a waiting publication costs besides its text.
const JOB_BYTES: usize = 256;

/// A publication on its way to the members of one worker.
#[derive(Clone, Debug)]
pub struct Job {
    /// The event.
    pub publication: Arc<Publication>,
    /// How many publications there have been with this one.
    pub sequence: u64,
}

/// The publications that wait for one worker.
#[derive(Debug)]
pub struct Inbox {
    bytes_max: usize,
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    bytes: usize,
}

impl Inbox {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, waiting: Mutex::default(), filled: Notify::default() }
    }

    /// Waits until there may be something to take.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Takes the oldest publication and those right behind it that go to the same room, up to `bytes_max` in all and at
    /// least one. Empty when nothing waits.
    pub fn take(&self, bytes_max: usize) -> Vec<Job> {
        let mut waiting = self.lock();
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(job) = waiting.jobs.pop_front_if(|job| {
            let belongs = taken.first().is_none_or(|first: &Job| first.publication.room == job.publication.room);
            belongs && (bytes == 0 || bytes + job.publication.bytes() <= bytes_max)
        }) {
            bytes += job.publication.bytes();
            waiting.bytes -= job.publication.bytes() + JOB_BYTES;
            taken.push(job);
        }
        taken
    }

    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        self.lock().bytes + bytes <= self.bytes_max
    }

    pub(super) fn put(&self, job: Job) {
        let mut waiting = self.lock();
        waiting.bytes += job.publication.bytes() + JOB_BYTES;
        waiting.jobs.push_back(job);
        drop(waiting);
        self.filled.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
