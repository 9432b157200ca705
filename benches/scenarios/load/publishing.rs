//! A phase in which is published, at a rate or as fast as the answers come, and what it cost.

use std::time::{Duration, Instant};

use anyhow::ensure;
use mio::Token;

use super::link::Link;
use super::publisher::Publisher;
use super::subscriber::Stage;
use super::{Load, PUBLISHERS};
use crate::usage::usage;

/// How long nothing may come, after the last publish, before what is missing counts as lost.
const QUIET: Duration = Duration::from_secs(5);
/// How long after the time publishes may still wait for a publisher, before the server counts as stuck.
const OVERDUE_MAX: Duration = Duration::from_secs(30);
/// Between two looks at the server's memory.
const LOOK: Duration = Duration::from_millis(50);

/// How to publish.
#[derive(Clone, Copy, Debug)]
pub struct Publishing {
    /// Publishes a second, of all publishers together; none: as fast as the answers come.
    pub rate: Option<f64>,
    /// For how long.
    pub time: Duration,
    /// Bytes of an event's data.
    pub data_bytes: usize,
}

impl Publishing {
    /// When the publish of this number, from 0, is due; none: as soon as a publisher is ready.
    fn due(&self, start: Instant, number: u64) -> Option<Instant> {
        self.rate.map(|rate| start + Duration::from_secs_f64(number as f64 / rate))
    }

    /// How many are due in the time. At a rate all of them are published, though it take longer.
    fn in_all(&self) -> u64 {
        self.rate.map_or(u64::MAX, |rate| (self.time.as_secs_f64() * rate).ceil() as u64)
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// Publishes that were taken.
    pub publishes: u64,
    /// Events that were heard.
    pub deliveries: u64,
    /// Events that should have been, by those who read, and were not: they were passed over, or never came.
    pub lost: u64,
    /// Times that a publisher was told to come again. It comes with the next publish that is due.
    pub refused: u64,
    /// From the first publish to the last delivery, in seconds.
    pub seconds: f64,
    /// CPU time of the server, in seconds.
    pub cpu_s: f64,
    /// CPU time of the load, in seconds.
    pub load_cpu_s: f64,
    /// The most memory of the server that was seen, in KiB.
    pub rss_peak_kib: f64,
    /// Half of the deliveries took at most this long, in milliseconds; at a rate, from when their publish was due.
    pub p50_ms: f64,
    /// All but one in a hundred did.
    pub p99_ms: f64,
}

impl Published {
    /// How much of its core the load used: near 1, it was the load that was measured.
    pub fn load_share(&self) -> f64 {
        self.load_cpu_s / self.seconds
    }
}

impl Load<'_> {
    /// Publishes, and waits until all of it is heard, or nothing comes any more.
    ///
    /// # Errors
    /// When a subscriber is closed or hears an event again, too late or of another room, or when a publish fails, is not
    /// answered, or leaves far too late. What is lost is counted, and so is a publish that is told to come again.
    pub fn publish(&mut self, publishing: &Publishing) -> anyhow::Result<Published> {
        self.open_publishers()?;
        self.count_listeners();
        let (delivered, expected, refused) = (self.tally.delivered, self.tally.expected, self.refused());
        let taken = self.taken();
        self.tally.latency_ns.reset();
        let (before, load_before) = (self.server.usage()?, usage(std::process::id())?);
        let start = Instant::now();
        let (rss_peak_kib, last) = self.publish_and_drain(publishing, start)?;
        let (after, load_after) = (self.server.usage()?, usage(std::process::id())?);
        let latency = |quantile| self.tally.latency_ns.value_at_quantile(quantile) as f64 / 1e6;
        let deliveries = self.tally.delivered - delivered;
        Ok(Published {
            publishes: self.taken() - taken,
            deliveries,
            lost: (self.tally.expected - expected).saturating_sub(deliveries),
            refused: self.refused() - refused,
            seconds: (last - start).as_secs_f64(),
            cpu_s: after.cpu_s - before.cpu_s,
            load_cpu_s: load_after.cpu_s - load_before.cpu_s,
            rss_peak_kib: rss_peak_kib.max(after.rss_kib),
            p50_ms: latency(0.5),
            p99_ms: latency(0.99),
        })
    }

    /// Returns the most memory that was seen, and when the last event was heard.
    fn publish_and_drain(&mut self, publishing: &Publishing, start: Instant) -> anyhow::Result<(f64, Instant)> {
        let (mut sent, mut peak, mut heard) = (0, 0.0, self.tally.delivered);
        let (mut last, mut sent_last, mut look) = (start, start, start);
        let in_all = publishing.in_all();
        loop {
            let now = Instant::now();
            let is_publishing = publishing.rate.map_or(now < start + publishing.time, |_| sent < in_all);
            let due = publishing.rate.map_or(u64::MAX, |rate| 1 + ((now - start).as_secs_f64() * rate) as u64);
            let is_late = is_publishing && now > start + publishing.time + OVERDUE_MAX;
            ensure!(!is_late, "{sent} of {in_all} publishes left {OVERDUE_MAX:?} after the last one was due");
            let due = due.min(in_all);
            if is_publishing && sent < due {
                let published = self.publish_due(publishing, start, sent, due)?;
                sent += published;
                sent_last = if published > 0 { now } else { sent_last };
            }
            // The kernel counts in milliseconds, which is longer than a delivery may take. Whatever is overdue waits for an
            // answer, which ends the wait.
            let next = publishing.due(start, sent).filter(|_| is_publishing && sent == due);
            let wait = next.map_or(LOOK, |next| next.saturating_duration_since(now).min(LOOK));
            self.turn(if wait < Duration::from_millis(2) { Duration::ZERO } else { wait - Duration::from_millis(1) })?;
            self.tally.check()?;
            ensure!(!self.publishers.iter().all(Publisher::is_closed), "the server closed the publishers' connections");
            if self.tally.delivered != heard {
                (heard, last) = (self.tally.delivered, Instant::now());
            }
            if look.elapsed() >= LOOK {
                (look, peak) = (Instant::now(), self.server.usage()?.rss_kib.max(peak));
            }
            let all_answered = !self.publishers.iter().any(Publisher::is_waiting);
            let is_done = all_answered && self.tally.delivered >= self.tally.expected;
            let is_quiet = last.max(sent_last).max(start + publishing.time).elapsed() > QUIET;
            if !is_publishing && (is_done || is_quiet) {
                ensure!(all_answered, "a publish was not answered within {QUIET:?}");
                return Ok((peak, last));
            }
        }
    }

    /// Lets those publish who are ready, by turns, from the number `sent` on and below `due`. Returns how many did. Where
    /// a rate is given, each is stamped with the time at which it was due: else nobody would count how long it waited for
    /// a publisher, who waits for an answer, and a slow server would be asked less and look the faster for it.
    fn publish_due(&mut self, publishing: &Publishing, start: Instant, sent: u64, due: u64) -> anyhow::Result<u64> {
        let mut number = sent;
        for _ in 0..self.publishers.len() {
            let Some(publisher) = self.publishers.get_mut(self.turn).filter(|_| number < due) else { break };
            if publisher.is_ready() {
                let stamp = publishing.due(start, number).unwrap_or_else(Instant::now);
                publisher.publish(&self.plan, publishing.data_bytes, self.tally.ns_at(stamp))?;
                number += 1;
            }
            self.turn = (self.turn + 1) % self.publishers.len();
        }
        Ok(number - sent)
    }

    fn open_publishers(&mut self) -> anyhow::Result<()> {
        for place in 0..self.plan.publishers {
            if self.publishers.get(place).is_some_and(|publisher| !publisher.is_closed()) {
                continue;
            }
            let link = Link::dial(self.server.producer, None, self.tls.clone(), &self.poll, Token(PUBLISHERS + place))?;
            match self.publishers.get_mut(place) {
                Some(publisher) => publisher.reconnect(link),
                None => self.publishers.push(Publisher::new(link, &self.plan, place)),
            }
        }
        // Their handshakes are no part of what is measured.
        self.linger(Duration::from_millis(200)).map(|_| ())
    }

    fn count_listeners(&mut self) {
        self.tally.listeners.fill(0);
        for subscriber in self.subscribers.iter().filter(|subscriber| subscriber.stage == Stage::Joined) {
            self.tally.listeners[subscriber.room] += 1;
        }
    }

    fn taken(&self) -> u64 {
        self.publishers.iter().map(Publisher::taken_in_all).sum()
    }

    fn refused(&self) -> u64 {
        self.publishers.iter().map(|publisher| publisher.refused).sum()
    }
}
