//! What is owed to subscribers. Each worker counts its own, so that no two cores write to one cache line.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The queues of all workers. An event's bytes count once for each subscriber that has not taken them, though it is held
/// once a worker: what is counted is never less than what is held.
#[derive(Debug, Default)]
pub struct Queues(OnceLock<Box<[Arc<WorkerQueues>]>>);

/// What one worker's subscribers are owed. It has a pair of cache lines of its own, as processors fetch them.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct WorkerQueues {
    bytes: AtomicU64,
    /// No queue is longer; it may be that none is so long any more.
    longest: AtomicU64,
}

impl Queues {
    /// Makes a part for each of so many workers, at the first call. Without it there is one for all.
    pub fn open(&self, workers: usize) -> &[Arc<WorkerQueues>] {
        self.0.get_or_init(|| (0..workers.max(1)).map(|_| Arc::default()).collect())
    }

    /// The part of a worker.
    pub fn of(&self, worker: usize) -> Arc<WorkerQueues> {
        let parts = self.open(1);
        parts.get(worker % parts.len()).map(Arc::clone).unwrap_or_default()
    }

    /// What all subscribers are owed, in bytes.
    pub fn bytes(&self) -> u64 {
        self.open(1).iter().map(|part| part.bytes()).sum()
    }

    /// The worker that has the longest queue, or had it since it last looked; none when nothing is queued.
    pub fn worst_worker(&self) -> Option<usize> {
        let longest = self.open(1).iter().map(|part| part.longest()).enumerate();
        longest.filter(|(_, bytes)| *bytes > 0).max_by_key(|(_, bytes)| *bytes).map(|(worker, _)| worker)
    }
}

impl WorkerQueues {
    /// What the worker's subscribers are owed, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// No queue of the worker is longer.
    pub fn longest(&self) -> u64 {
        self.longest.load(Ordering::Relaxed)
    }

    /// Takes note of how long its longest queue is now. Only the worker knows.
    pub fn set_longest(&self, bytes: u64) {
        self.longest.store(bytes, Ordering::Relaxed);
    }
}

/// The bytes of one queue. Dropping it counts them out.
#[derive(Debug)]
pub struct QueuedBytes {
    part: Arc<WorkerQueues>,
    bytes: u64,
}

impl QueuedBytes {
    /// An empty queue of a worker.
    pub fn new(part: Arc<WorkerQueues>) -> Self {
        Self { part, bytes: 0 }
    }

    /// The queue has so many bytes now.
    pub fn set(&mut self, bytes: u64) {
        if bytes > self.bytes {
            self.part.bytes.fetch_add(bytes - self.bytes, Ordering::Relaxed);
            if bytes > self.part.longest() {
                self.part.longest.fetch_max(bytes, Ordering::Relaxed);
            }
        } else if bytes < self.bytes {
            self.part.bytes.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }
}

impl Drop for QueuedBytes {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests;
