//! What a session still owes its client, in order. Bytes are shared with all others who receive the same.

use std::collections::VecDeque;
use std::iter::once;

use bytes::Bytes;

use super::wire::{frame, payload};
use crate::types::queues::QueuedBytes;

/// What a queued item costs besides its bytes: its place in a deque that doubles, 56 to 112 bytes. So a queue of 1 MiB
/// holds at most 16,384 items however small they are, and takes less than twice its bytes of memory.
pub(super) const ITEM_BYTES: usize = 64;

/// Items of a queue that has room for a further pong. A pong of two bytes costs as much as any other item: who pings, and
/// reads nothing, is owed the last answer alone (RFC 6455, 5.5.3) before that costs more than the queue's bytes.
const PONGS_MAX: usize = 1_024;

/// One packet, encoded once for both transports: a websocket frame whose payload is the packet's text; or binary data,
/// which polling writes in base64.
#[derive(Clone, Debug)]
pub(super) struct Item {
    frame: Bytes,
    head: usize,
    kind: Kind,
}

/// What a full queue may do with an item.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// It stays: the protocol needs it.
    Needed,
    /// The answer to a websocket's ping: the next one may take its place.
    Pong,
    /// So many events, which may be dropped.
    Events(u64),
    /// Word of so many that were, which stays in their place.
    Gap(u64),
}

impl Item {
    /// A packet of these parts, one behind the other.
    pub(super) fn packet(parts: &[&str]) -> Self {
        let (frame, head) = frame::text(parts);
        Self { frame: frame.into(), head, kind: Kind::Needed }
    }

    /// A binary message.
    pub(super) fn binary(bytes: &[u8]) -> Self {
        let (frame, head) = frame::binary(bytes);
        Self { frame: frame.into(), head, kind: Kind::Needed }
    }

    /// A packet that carries an event, which may be dropped if its receiver does not keep up.
    pub(super) fn event(parts: &[&str]) -> Self {
        Self { kind: Kind::Events(1), ..Self::packet(parts) }
    }

    fn gap(dropped: u64) -> Self {
        let parts = [r#"42["roomcast:gap",{"dropped":"#, &dropped.to_string(), "}]"];
        Self { kind: Kind::Gap(dropped), ..Self::packet(&parts) }
    }

    /// The answer to a websocket's ping.
    pub(super) fn pong(payload: &[u8]) -> Self {
        Self { kind: Kind::Pong, ..Self::control(frame::pong(payload)) }
    }

    /// A frame that is no packet, and exists on a websocket only.
    pub(super) fn control(frame: Vec<u8>) -> Self {
        let head = frame.len();
        Self { frame: frame.into(), head, kind: Kind::Needed }
    }

    /// Several packets as one piece for a websocket; it must never get to a client that polls.
    pub(super) fn joined(items: &[Self]) -> Self {
        let frames: Vec<&[u8]> = items.iter().map(|item| item.frame.as_ref()).collect();
        Self { kind: Kind::Events(items.iter().map(Self::events).sum()), ..Self::control(frames.concat()) }
    }

    /// The bytes that a websocket writes.
    pub(super) fn frame(&self) -> &[u8] {
        &self.frame
    }

    fn events(&self) -> u64 {
        match self.kind {
            Kind::Events(events) => events,
            Kind::Needed | Kind::Pong | Kind::Gap(_) => 0,
        }
    }

    fn push_to(&self, payload: &mut String) {
        let packet = self.frame.get(self.head..).unwrap_or_default();
        if frame::is_binary(&self.frame) {
            payload::push_binary(payload, packet);
        } else {
            payload::push(payload, str::from_utf8(packet).unwrap_or_default());
        }
    }
}

/// The queue of one session.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    items: VecDeque<Item>,
    /// Bytes of the first item that are written already.
    written: usize,
    bytes: usize,
    /// So many items at the front are known to be no events, or to be written already in part: none of them is dropped.
    kept: usize,
    /// What the node counts of it.
    counted: Option<QueuedBytes>,
}

impl Outbox {
    /// A queue that the node counts.
    pub(super) fn counted(queued: QueuedBytes) -> Self {
        Self { counted: Some(queued), ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What it counts towards `CLIENT_QUEUE_MAX_BYTES`, and in the sum over all queues of the node.
    pub(super) fn cost(&self) -> usize {
        self.bytes + self.items.len() * ITEM_BYTES
    }

    fn count(&mut self) {
        let cost = self.cost() as u64;
        if let Some(counted) = &mut self.counted {
            counted.set(cost);
        }
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What it costs without the first item, which may be half written and have any length.
    pub(super) fn cost_behind_first(&self) -> usize {
        self.cost() - self.front().map_or(0, |first| first.len() + ITEM_BYTES)
    }

    /// Queues an item. Where [`PONGS_MAX`] items wait, a pong takes the place of one that waits right before it.
    pub(super) fn push(&mut self, item: Item) {
        let is_pong = |item: &Item| matches!(item.kind, Kind::Pong);
        if is_pong(&item) && self.items.len() >= PONGS_MAX && self.items.back().is_some_and(is_pong) {
            self.replace(self.items.len() - 1, item);
        } else {
            self.bytes += item.frame.len();
            self.items.push_back(item);
        }
        self.count();
    }

    /// Queues what is left of an item whose first bytes were written at once.
    pub(super) fn push_rest(&mut self, item: Item, written: usize) {
        debug_assert!(self.items.is_empty(), "something was written before its turn");
        self.bytes += item.frame.len() - written;
        self.written = written;
        self.items.push_back(item);
        self.count();
    }

    /// Drops the oldest events until it costs no more than `cost_max`, and says how many it dropped. What is half
    /// written stays, and so does what is no event; word of the dropped ones stands where they stood.
    pub(super) fn drop_oldest(&mut self, cost_max: usize) -> u64 {
        let first = usize::from(self.written > 0);
        let mut index = self.kept.max(first);
        let before = index.checked_sub(1).filter(|before| *before >= first).and_then(|before| self.items.get(before));
        let mut before = before.and_then(|item| if let Kind::Gap(gap) = item.kind { Some(gap) } else { None });
        let mut dropped = 0;
        while self.cost() > cost_max
            && let Some(item) = self.items.get(index)
        {
            match item.kind {
                Kind::Needed | Kind::Pong => before = None,
                Kind::Gap(gap) => before = Some(gap),
                Kind::Events(events) => {
                    dropped += events;
                    if let Some(gap) = before {
                        self.remove(index);
                        index -= 1;
                        self.replace(index, Item::gap(gap + events));
                        before = Some(gap + events);
                    } else {
                        self.replace(index, Item::gap(events));
                        before = Some(events);
                    }
                }
            }
            index += 1;
        }
        self.kept = index;
        self.count();
        dropped
    }

    fn remove(&mut self, index: usize) {
        if let Some(item) = self.items.remove(index) {
            self.bytes -= item.frame.len();
        }
    }

    fn replace(&mut self, index: usize, item: Item) {
        if let Some(place) = self.items.get_mut(index) {
            self.bytes = self.bytes + item.frame.len() - place.frame.len();
            *place = item;
        }
    }

    /// What is to be written next.
    pub(super) fn front(&self) -> Option<&[u8]> {
        self.items.front().and_then(|item| item.frame.get(self.written..))
    }

    /// What is to be written next: up to `bytes_max` bytes of several items, put together in `space`, or one item as it is.
    pub(super) fn piece<'a>(&'a self, bytes_max: usize, space: &'a mut Vec<u8>) -> &'a [u8] {
        let front = self.front().unwrap_or_default();
        if self.items.len() == 1 || front.len() >= bytes_max {
            return front;
        }
        space.clear();
        let rest = self.items.iter().skip(1).map(Item::frame);
        for frame in once(front).chain(rest) {
            let free = bytes_max - space.len();
            if free == 0 {
                break;
            }
            space.extend_from_slice(frame.get(..free).unwrap_or(frame));
        }
        space
    }

    /// Takes note that bytes of [`Outbox::piece`] were written.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.written += bytes;
        self.bytes -= bytes;
        while let Some(item) = self.items.pop_front_if(|item| item.frame.len() <= self.written) {
            self.written -= item.frame.len();
            self.kept = self.kept.saturating_sub(1);
        }
        give_back_room(&mut self.items);
        self.count();
    }

    /// Gives up everything that waits.
    pub(super) fn clear(&mut self) {
        self.items = VecDeque::new();
        (self.written, self.bytes, self.kept) = (0, 0, 0);
        self.count();
    }

    /// Everything that waits, as the answer to a poll.
    pub(super) fn take_payload(&mut self) -> String {
        let mut text = String::with_capacity(self.bytes);
        for item in &self.items {
            item.push_to(&mut text);
        }
        self.clear();
        text
    }
}

/// Gives the room back that a burst took, once three quarters of it are free.
fn give_back_room(items: &mut VecDeque<Item>) {
    if items.is_empty() {
        *items = VecDeque::new();
    } else if items.len() < items.capacity() / 4 {
        items.shrink_to(items.len() * 2);
    }
}

#[cfg(test)]
mod tests;
