//! Only workers that answer keep the watchdog quiet, and only if there is one.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::{watchdog_patience, while_all_answer};

const PATIENCE: Duration = Duration::from_secs(60);

/// A runtime on a thread of its own, as a worker is.
fn worker() -> (Handle, CancellationToken, JoinHandle<()>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (handle, end) = (runtime.handle().clone(), CancellationToken::new());
    let ended = end.clone();
    (handle, end, std::thread::spawn(move || runtime.block_on(ended.cancelled())))
}

fn watch(workers: Vec<Handle>) -> (UnboundedReceiver<()>, impl Future<Output = ()>) {
    let (sender, ticks) = unbounded_channel();
    (ticks, async move {
        while_all_answer(&workers, Duration::from_millis(1), || sender.send(()).unwrap()).await;
    })
}

/// Blocks a worker until the sender is dropped.
fn block(worker: &Handle) -> Sender<()> {
    let (sender, receiver): (Sender<()>, Receiver<()>) = channel();
    let (blocking, blocked) = channel();
    drop(worker.spawn(async move {
        blocking.send(()).unwrap();
        let _ = receiver.recv();
    }));
    blocked.recv_timeout(PATIENCE).unwrap();
    sender
}

#[tokio::test]
async fn nothing_is_told_while_one_of_the_workers_is_stuck() {
    let ((first, first_end, first_thread), (second, second_end, second_thread)) = (worker(), worker());
    let stuck = block(&second);
    let (mut ticks, watching) = watch(vec![first, second]);
    let judge = async {
        assert!(tokio::time::timeout(Duration::from_millis(200), ticks.recv()).await.is_err(), "it is stuck");
        drop(stuck);
        for _ in 0..3 {
            tokio::time::timeout(PATIENCE, ticks.recv()).await.unwrap().unwrap();
        }
    };
    tokio::select! {
        () = watching => panic!("both live"),
        () = judge => {}
    }
    first_end.cancel();
    second_end.cancel();
    first_thread.join().unwrap();
    second_thread.join().unwrap();
}

#[tokio::test]
async fn nothing_is_told_once_one_of_the_workers_has_ended() {
    let ((first, first_end, first_thread), (second, second_end, second_thread)) = (worker(), worker());
    second_end.cancel();
    second_thread.join().unwrap();
    let (mut ticks, watching) = watch(vec![first, second]);
    tokio::time::timeout(PATIENCE, watching).await.unwrap();
    assert_eq!(ticks.recv().await, None);
    first_end.cancel();
    first_thread.join().unwrap();
}

#[test]
fn the_watchdog_is_asked_for_by_a_time_and_the_number_of_this_process() {
    let own = std::process::id().to_string();
    let patience = |micros: Option<&str>, pid: Option<&str>| {
        watchdog_patience(|name| if name == "WATCHDOG_PID" { pid } else { micros }.map(str::to_owned))
    };
    assert_eq!(patience(Some("30000000"), Some(&own)), Some(Duration::from_secs(30)));
    assert_eq!(patience(Some("30000000"), None), Some(Duration::from_secs(30)));
    assert_eq!(patience(Some("30000000"), Some("1")), None);
    assert_eq!(patience(None, Some(&own)), None);
    assert_eq!(patience(Some("0"), None), None);
    assert_eq!(patience(Some("soon"), None), None);
}
