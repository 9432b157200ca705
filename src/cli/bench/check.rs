//! What one subscriber has heard of each of its streams: by set and by order.

use std::ops::Range;

/// How an event came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// After all that were heard before it.
    InOrder,
    /// For the first time, but after a later one.
    Late,
    /// Again.
    Duplicate,
}

/// What became of a stream's publishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How many were sent: their sequence numbers are below this.
    pub(crate) published: u32,
    /// Those without an answer of 200, in ascending order. They may or may not arrive.
    pub(crate) unanswered: Vec<u32>,
}

/// What a subscriber has heard of one stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamCheck {
    /// One past the highest sequence number heard.
    next: u32,
    /// The gaps below `next`, in ascending order.
    missing: Vec<Range<u32>>,
}

impl StreamCheck {
    /// Notes an event.
    pub(crate) fn arrive(&mut self, sequence: u32) -> Arrival {
        if sequence >= self.next {
            if sequence > self.next {
                self.missing.push(self.next..sequence);
            }
            self.next = sequence.saturating_add(1);
            return Arrival::InOrder;
        }
        let Some(place) = self.missing.iter().position(|gap| gap.contains(&sequence)) else {
            return Arrival::Duplicate;
        };
        let gap = self.missing.remove(place);
        for rest in [sequence + 1..gap.end, gap.start..sequence] {
            if !rest.is_empty() {
                self.missing.insert(place, rest);
            }
        }
        Arrival::Late
    }

    /// How many publishes that were answered 200 were not heard.
    pub(crate) fn lost(&self, outcome: &Outcome) -> u64 {
        let tail = self.next..outcome.published.max(self.next);
        let gaps = || self.missing.iter().chain([&tail]);
        let missing: u64 = gaps().map(|gap| gap.len() as u64).sum();
        let excused = outcome.unanswered.iter().filter(|sequence| gaps().any(|gap| gap.contains(sequence))).count();
        missing - excused as u64
    }
}

#[cfg(test)]
mod tests;
