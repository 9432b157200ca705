//! What a worker has to fan out, in order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::types::{Position, Publication};

/// Bytes that may wait for one worker, or be on their way to its members. A publish that finds more is refused and
/// comes again.
pub(super) const BYTES_MAX: usize = 64 << 20;

/// What a waiting publication costs besides its text.
const JOB_BYTES: usize = 256;

/// Space for so many publications is kept.
const CAPACITY_MIN: usize = 64;

/// A publication on its way to the members of one worker.
#[derive(Clone, Debug)]
pub struct Job {
    /// The event.
    pub publication: Arc<Publication>,
    /// Where it stands among all that the node took.
    pub position: Position,
}

impl Job {
    fn cost(&self) -> usize {
        self.publication.bytes() + JOB_BYTES
    }
}

/// The publications that wait for one worker.
#[derive(Debug)]
pub struct Inbox {
    bytes_max: usize,
    waiting: Mutex<VecDeque<Job>>,
    /// Of what waits, and of what was taken and is not sent yet. Only the hub adds, and never two threads at once.
    bytes: AtomicUsize,
    filled: Notify,
}

impl Inbox {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, waiting: Mutex::default(), bytes: AtomicUsize::default(), filled: Notify::default() }
    }

    /// Waits until there may be something to take.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Lets the worker look, though nothing was put.
    pub fn wake(&self) {
        self.filled.notify_one();
    }

    /// Takes the oldest publication and those right behind it that go to the same room, up to `bytes_max` in all and at
    /// least one. Empty when nothing waits. What is taken counts until [`Inbox::is_sent`].
    pub fn take(&self, bytes_max: usize) -> Vec<Job> {
        let mut waiting = self.lock();
        let taken = batch(&mut waiting, bytes_max);
        if waiting.len() < waiting.capacity() / 4 {
            // The space that a burst took is given back.
            let jobs = waiting.len();
            waiting.shrink_to((jobs * 2).max(CAPACITY_MIN));
        }
        taken
    }

    /// Takes note that what was taken is on its way no more.
    pub fn is_sent(&self, jobs: &[Job]) {
        self.bytes.fetch_sub(jobs.iter().map(Job::cost).sum(), Ordering::Relaxed);
    }

    /// Bytes of what waits or is on its way.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        self.bytes.load(Ordering::Relaxed) + bytes <= self.bytes_max
    }

    pub(super) fn put(&self, job: Job) {
        self.bytes.fetch_add(job.cost(), Ordering::Relaxed);
        self.lock().push_back(job);
        self.filled.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the oldest job and those right behind it that go to the same room, up to `bytes_max` in all and at least one.
pub fn batch(waiting: &mut VecDeque<Job>, bytes_max: usize) -> Vec<Job> {
    let mut taken = Vec::new();
    let mut bytes = 0;
    while let Some(job) = waiting.pop_front_if(|job| {
        let belongs = taken.first().is_none_or(|first: &Job| first.publication.room == job.publication.room);
        belongs && (bytes == 0 || bytes + job.publication.bytes() <= bytes_max)
    }) {
        bytes += job.publication.bytes();
        taken.push(job);
    }
    taken
}

#[cfg(test)]
mod tests;
