//! The gateway under load: its publishers, how far they are, and what the gateway counts.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use crate::harness::Gateway;
use crate::harness::http::Connection;
use roomcast::types::CloseReason;

/// Publishers that publish at the same time, each to every room in turn.
pub const PUBLISHERS: usize = 4;

/// Rooms that are listened to.
pub const ROOMS: usize = 5;

/// The room that stalled readers are in besides, which fills their queues.
pub const STALLED_ROOM: &str = "stalled";

/// Bytes of an event of that room.
const STALLED_EVENT_BYTES: usize = 32 << 10;

/// How far a publisher is ahead of the first who hears it, so that the clients here are not what is slow.
const EVENTS_AHEAD: u64 = 20;

/// The name of a room.
pub fn room_name(room: usize) -> String {
    format!("room-{room}")
}

/// A gateway and those who publish to it.
pub struct Load {
    pub gateway: Gateway,
    begun: [[AtomicU64; PUBLISHERS]; ROOMS],
    /// Up to which number somebody has heard each publisher in each room.
    heard: [[watch::Sender<u64>; PUBLISHERS]; ROOMS],
    stalled: AtomicUsize,
    stalled_expected: usize,
    all_closed: watch::Sender<bool>,
    end: AtomicBool,
    finished: watch::Sender<bool>,
}

impl Load {
    pub async fn start(raw: usize) -> Self {
        let gateway = Gateway::start(&[
            ("WEBSOCKET_AUTH", "0"),
            ("CLUSTER_MODE", "1"),
            ("CLUSTER_INSTANCES", "2"),
            ("CLIENT_WRITE_TIMEOUT_MS", "2000"),
        ])
        .await;
        // Of each ten rounds over the rooms, the last.
        let stalled_expected = (0..raw).filter(|index| index / ROOMS % 10 == 9).count();
        Self {
            gateway,
            begun: Default::default(),
            heard: Default::default(),
            stalled: AtomicUsize::new(0),
            stalled_expected,
            all_closed: watch::Sender::new(false),
            end: AtomicBool::new(false),
            finished: watch::Sender::new(false),
        }
    }

    /// How many publishes to the room each publisher has begun.
    pub fn begun(&self, room: usize) -> [u64; PUBLISHERS] {
        std::array::from_fn(|publisher| self.begun[room][publisher].load(Ordering::SeqCst))
    }

    /// Takes note that somebody heard an event.
    pub fn is_heard(&self, room: usize, publisher: u64, number: u64) {
        self.heard[room][usize::try_from(publisher).unwrap()].send_if_modified(|heard| {
            let is_news = *heard < number;
            *heard = (*heard).max(number);
            is_news
        });
    }

    /// Takes note that one more reader has stalled.
    pub fn stalls(&self) {
        self.stalled.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until the gateway has closed every stalled reader.
    pub async fn stalled_are_closed(&self) {
        self.all_closed.subscribe().wait_for(|closed| *closed).await.unwrap();
    }

    /// Waits until the last events are published.
    pub async fn finished(&self) {
        self.finished.subscribe().wait_for(|finished| *finished).await.unwrap();
    }

    /// Publishes until `settled`, and then the last event to each room.
    pub async fn publish_until(&self, settled: impl Future<Output = ()>) {
        let publishing = futures_util::future::join_all((0..PUBLISHERS).map(|publisher| self.publish(publisher)));
        let settled = async {
            settled.await;
            self.end.store(true, Ordering::SeqCst);
        };
        tokio::join!(publishing, self.fill_stalled(), settled);
        for room in 0..ROOMS {
            self.gateway.publish(&room_name(room), &json!({ "last": true })).await;
        }
        self.finished.send_replace(true);
    }

    async fn publish(&self, publisher: usize) {
        let mut connection = Connection::open(self.gateway.producer()).await;
        let mut number = 0_u64;
        while !self.end.load(Ordering::SeqCst) {
            for room in 0..ROOMS {
                self.begun[room][publisher].store(number + 1, Ordering::SeqCst);
                let body = json!({ "target_id": room_name(room), "number": [publisher, number] }).to_string();
                let answer = connection.request("POST /publish\nContent-Type: application/json", body).await;
                assert_eq!(answer.status, 200);
                let mut heard = self.heard[room][publisher].subscribe();
                let is_near = |heard: &u64| number < *heard + EVENTS_AHEAD;
                // Until somebody has connected, nobody hears.
                let _ = tokio::time::timeout(Duration::from_millis(20), heard.wait_for(is_near)).await;
            }
            number += 1;
        }
    }

    /// Publishes to the stalled readers, once all are, until all are closed.
    async fn fill_stalled(&self) {
        let fill = "x".repeat(STALLED_EVENT_BYTES);
        while self.closed_as_stalled() < self.stalled_expected as u64 {
            if self.stalled.load(Ordering::SeqCst) < self.stalled_expected {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
            self.gateway.publish(STALLED_ROOM, &json!({ "fill": fill })).await;
            tokio::time::sleep(Duration::from_millis(5)).await; // an even pace: the others are to be served meanwhile
        }
        self.all_closed.send_replace(true);
    }

    fn closed_as_stalled(&self) -> u64 {
        let stats = self.gateway.stats();
        stats.closes(CloseReason::SlowReader).get() + stats.closes(CloseReason::WriteTimeout).get()
    }

    /// Asserts that every close has the reason that it should have, and that nobody is left.
    pub async fn is_accounted_for(&self) {
        self.gateway.emptied().await;
        // What the system still holds of closed sockets is read in its own time.
        self.gateway.until(|stats| stats.sockets.get() == 0 && stats.queues.bytes() == 0).await;
        let stats = self.gateway.stats();
        assert_eq!(self.closed_as_stalled(), self.stalled_expected as u64);
        for reason in [CloseReason::PingTimeout, CloseReason::ProtocolError, CloseReason::Shutdown] {
            assert_eq!(stats.closes(reason).get(), 0, "{reason:?}");
        }
        assert_eq!(stats.undelivered.get(), 0);
    }
}
