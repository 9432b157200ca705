//! What a generator's thread has measured. Its tasks share one, since a histogram for each would fill the memory.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::check::{Arrival, Outcome, StreamCheck};
use super::plan::Plan;
use super::stamp::Stamp;

/// The longest latency that is told from longer ones: an hour, in nanoseconds.
const LATENCY_NS_MAX: u64 = 3_600_000_000_000;
/// The shortest latency that is told from shorter ones: a microsecond, in nanoseconds.
const LATENCY_NS_MIN: u64 = 1000;
/// Significant digits of a latency.
const DIGITS: u8 = 3;

/// Measurements, of one thread or merged of several.
pub(crate) struct Recorder {
    /// Nanoseconds from a publish being due to its event being parsed.
    pub(crate) delivery_ns: Histogram<u64>,
    /// Nanoseconds from a publish being due to its answer.
    pub(crate) answer_ns: Histogram<u64>,
    /// Events that were heard again.
    pub(crate) duplicated: u64,
    /// Events that were heard after a later one.
    pub(crate) reordered: u64,
    /// Events without a stamp of this run's, or of another room.
    pub(crate) foreign: u64,
    /// Times that a subscriber came back.
    pub(crate) reconnects: u64,
    /// Publishes that were due and not sent when time was up.
    pub(crate) unsent: u64,
    /// The last delivery, in nanoseconds since the epoch.
    pub(crate) last_delivery_ns: u64,
    /// The last answer, in nanoseconds since the epoch.
    pub(crate) last_answer_ns: u64,
    /// Why connects failed and sessions ended, with how often.
    pub(crate) disconnects: BTreeMap<String, u64>,
    /// Why publishes failed, with how often.
    pub(crate) publish_failures: BTreeMap<String, u64>,
    /// What became of each stream, as far as this thread published it.
    pub(crate) outcomes: BTreeMap<u32, Outcome>,
    subscribers: Vec<Subscriber>,
}

struct Subscriber {
    room: u32,
    streams: Box<[StreamCheck]>,
}

impl Recorder {
    /// For these subscribers, each known from here on by its place among them.
    ///
    /// # Errors
    /// When the histogram's bounds are refused, which they are not.
    pub(crate) fn new(plan: &Plan, subscribers: impl Iterator<Item = u32>) -> anyhow::Result<Self> {
        let histogram = || Histogram::new_with_bounds(LATENCY_NS_MIN, LATENCY_NS_MAX, DIGITS);
        let subscriber = |number| {
            let room = plan.room_of_subscriber(number);
            Subscriber { room, streams: plan.streams_of_room(room).map(|_| StreamCheck::default()).collect() }
        };
        Ok(Self {
            delivery_ns: histogram()?,
            answer_ns: histogram()?,
            duplicated: 0,
            reordered: 0,
            foreign: 0,
            reconnects: 0,
            unsent: 0,
            last_delivery_ns: 0,
            last_answer_ns: 0,
            disconnects: BTreeMap::new(),
            publish_failures: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            subscribers: subscribers.map(subscriber).collect(),
        })
    }

    /// Notes an event that a subscriber heard. True when it was the first of its kind.
    pub(crate) fn deliver(&mut self, plan: &Plan, place: usize, stamp: Option<Stamp>, now_ns: u64) -> bool {
        let Some((stamp, check)) = stamp.and_then(|stamp| Some((stamp, self.check(plan, place, stamp.stream)?))) else {
            self.foreign += 1;
            return false;
        };
        match check.arrive(stamp.sequence) {
            Arrival::Duplicate => {
                self.duplicated += 1;
                return false;
            }
            Arrival::Late => self.reordered += 1,
            Arrival::InOrder => {}
        }
        self.delivery_ns.saturating_record(now_ns.saturating_sub(stamp.sent_ns));
        self.last_delivery_ns = now_ns;
        true
    }

    fn check(&mut self, plan: &Plan, place: usize, stream: u32) -> Option<&mut StreamCheck> {
        let subscriber = self.subscribers.get_mut(place)?;
        subscriber.streams.get_mut(plan.place_in_room(subscriber.room, stream)?)
    }

    /// Notes an answer of 200.
    pub(crate) fn accept(&mut self, due_ns: u64, now_ns: u64) {
        self.answer_ns.saturating_record(now_ns.saturating_sub(due_ns));
        self.last_answer_ns = now_ns;
    }

    /// Takes in another thread's measurements.
    ///
    /// # Errors
    /// When the histograms do not fit each other, which they do.
    pub(crate) fn merge(&mut self, other: Self) -> anyhow::Result<()> {
        self.delivery_ns.add(&other.delivery_ns)?;
        self.answer_ns.add(&other.answer_ns)?;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.foreign += other.foreign;
        self.reconnects += other.reconnects;
        self.unsent += other.unsent;
        self.last_delivery_ns = self.last_delivery_ns.max(other.last_delivery_ns);
        self.last_answer_ns = self.last_answer_ns.max(other.last_answer_ns);
        add_counts(&mut self.disconnects, other.disconnects);
        add_counts(&mut self.publish_failures, other.publish_failures);
        self.outcomes.extend(other.outcomes);
        self.subscribers.extend(other.subscribers);
        Ok(())
    }

    /// Deliveries of accepted publishes that did not come, over all subscribers. Asked of merged measurements.
    pub(crate) fn lost(&self, plan: &Plan) -> u64 {
        let lost_by = |subscriber: &Subscriber| -> u64 {
            let streams = plan.streams_of_room(subscriber.room).zip(&subscriber.streams);
            streams.filter_map(|(stream, check)| Some(check.lost(self.outcomes.get(&stream)?))).sum()
        };
        self.subscribers.iter().map(lost_by).sum()
    }
}

/// Counts a cause. A fault of the other side must not fill the memory with texts: beyond a few, they are one.
pub(crate) fn count_cause(causes: &mut BTreeMap<String, u64>, cause: &dyn std::fmt::Display) {
    const CAUSES_MAX: usize = 16;
    let cause = cause.to_string();
    let known = causes.len() < CAUSES_MAX || causes.contains_key(&cause);
    *causes.entry(if known { cause } else { "other causes".to_owned() }).or_default() += 1;
}

fn add_counts(sum: &mut BTreeMap<String, u64>, other: BTreeMap<String, u64>) {
    for (cause, count) in other {
        *sum.entry(cause).or_default() += count;
    }
}

#[cfg(test)]
mod tests;
