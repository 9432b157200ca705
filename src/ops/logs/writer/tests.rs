//! A reader that stalls costs lines, never the writer's time; and what was taken is written before the end.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use super::*;

/// A reader that takes a line only when told to, and tells when it holds one.
struct Gated {
    holds: SyncSender<()>,
    release: Receiver<()>,
    read: Arc<Mutex<Vec<u8>>>,
}

impl Write for Gated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.holds.try_send(());
        // An end without a word is a release for good.
        let _ = self.release.recv();
        self.read.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Stalled {
    holds: Receiver<()>,
    release: SyncSender<()>,
    read: Arc<Mutex<Vec<u8>>>,
}

fn stalled_reader() -> (Gated, Stalled) {
    let ((holds, held), (release, released)) = (sync_channel(1), sync_channel(1));
    let read = Arc::<Mutex<Vec<u8>>>::default();
    (Gated { holds, release: released, read: read.clone() }, Stalled { holds: held, release, read })
}

#[test]
fn a_stalled_reader_costs_lines_that_are_counted() {
    let (sink, reader) = stalled_reader();
    let stats = Arc::new(Stats::default());
    let (mut writer, guard) = queue(sink, stats.clone());
    writer.write_all(b"first\n").unwrap();
    reader.holds.recv().unwrap();
    for _ in 0..QUEUE_LINES_MAX + 10 {
        writer.clone().write_all(b"more\n").unwrap();
    }
    assert_eq!(stats.log_lines_dropped.get(), 10);

    drop(reader.release);
    drop(guard);
    let read = reader.read.lock().unwrap();
    assert_eq!(read.iter().filter(|byte| **byte == b'\n').count(), QUEUE_LINES_MAX + 1);
}

#[test]
fn the_end_writes_out_what_is_queued() {
    let (sink, reader) = stalled_reader();
    drop(reader.release);
    let (mut writer, guard) = queue(sink, Arc::default());
    for n in 0..1000 {
        writer.write_all(format!("{n}\n").as_bytes()).unwrap();
    }
    drop(guard);
    let read = String::from_utf8(reader.read.lock().unwrap().clone()).unwrap();
    assert_eq!(
        read.lines().map(|line| line.parse::<u32>().unwrap()).collect::<Vec<_>>(),
        (0..1000).collect::<Vec<_>>()
    );
}

#[test]
fn the_end_does_not_wait_for_ever_for_a_reader_that_stalls() {
    let (sink, reader) = stalled_reader();
    let (mut writer, guard) = queue(sink, Arc::default());
    for _ in 0..QUEUE_LINES_MAX * 2 {
        writer.write_all(b"line\n").unwrap();
    }
    // The test would hang here if the guard waited for the reader.
    drop(guard);
    assert!(reader.read.lock().unwrap().is_empty());
    drop(reader.release);
}
