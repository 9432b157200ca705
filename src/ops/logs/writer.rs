//! The way of a line to standard output: through a bounded queue and a thread of its own, so that a reader that stalls
//! loses lines and stops nobody.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;

use crate::types::Stats;

/// Lines that may wait for a slow reader: 4 MiB of the longest, and over a second of forty places that flood at once.
const QUEUE_LINES_MAX: usize = 4096;

/// How long the end of the process waits for the reader to take what is queued.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
const FLUSH_POLL: Duration = Duration::from_millis(2);

/// The near end of the queue. A write is one line.
#[derive(Clone, Debug)]
pub(super) struct LineWriter {
    queue: NonBlocking,
    progress: Arc<Progress>,
    stats: Arc<Stats>,
}

/// Writes out what is queued when it is dropped, unless the reader stalls for longer than a second.
#[derive(Debug)]
#[must_use = "the log ends when the guard is dropped"]
pub struct LogGuard {
    worker: Option<WorkerGuard>,
    progress: Arc<Progress>,
}

/// What became of the lines.
#[derive(Debug)]
struct Progress {
    offered: AtomicU64,
    written: Arc<AtomicU64>,
    dropped: ErrorCounter,
    dropped_reported: AtomicU64,
}

/// The far end, on the thread of the queue: counts the lines that it has written.
struct Sink<W> {
    inner: W,
    written: Arc<AtomicU64>,
}

/// A queue in front of `sink`, which is written to by a thread of its own. Lines that it has no room for are counted in
/// `stats`.
pub(super) fn queue(sink: impl Write + Send + 'static, stats: Arc<Stats>) -> (LineWriter, LogGuard) {
    let written = Arc::new(AtomicU64::new(0));
    let sink = Sink { inner: sink, written: Arc::clone(&written) };
    let (queue, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUE_LINES_MAX)
        .thread_name("roomcast-log")
        .finish(sink);
    let progress = Arc::new(Progress {
        offered: AtomicU64::new(0),
        written,
        dropped: queue.error_counter(),
        dropped_reported: AtomicU64::new(0),
    });
    let guard = LogGuard { worker: Some(worker), progress: Arc::clone(&progress) };
    (LineWriter { queue, progress, stats }, guard)
}

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.progress.offered.fetch_add(1, Ordering::Relaxed);
        let length = self.queue.write(line)?;
        self.stats.log_lines_dropped.add(self.progress.newly_dropped());
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LineWriter {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Progress {
    /// Lines dropped since this was last asked, by any thread.
    fn newly_dropped(&self) -> u64 {
        let dropped = self.dropped.dropped_lines() as u64;
        dropped.saturating_sub(self.dropped_reported.fetch_max(dropped, Ordering::Relaxed))
    }

    /// Lines that are queued.
    fn pending(&self) -> u64 {
        let gone = self.written.load(Ordering::Relaxed).saturating_add(self.dropped.dropped_lines() as u64);
        self.offered.load(Ordering::Relaxed).saturating_sub(gone)
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        let result = self.inner.write_all(line);
        self.written.fetch_add(1, Ordering::Relaxed);
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let deadline = Instant::now() + FLUSH_TIMEOUT;
        while self.progress.pending() > 0 && Instant::now() < deadline {
            thread::sleep(FLUSH_POLL);
        }
        let worker = self.worker.take();
        if self.progress.pending() > 0 {
            // With a full queue the appender's guard prints to standard output, which would wait for the stalled reader
            // for ever; so the process ends without it.
            std::mem::forget(worker);
        }
    }
}

#[cfg(test)]
mod tests;
