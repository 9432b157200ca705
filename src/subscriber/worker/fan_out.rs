//! From a worker's inbox to its sessions. A large room is served in slices, and between them the events of other rooms,
//! pings, requests and new connections have their turn.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use tokio::task::{unconstrained, yield_now};

use super::Worker;
use crate::hub::{Inbox, Job, batch};
use crate::subscriber::members::Room;
use crate::subscriber::outbox::Item;
use crate::subscriber::session::{End, Session};
use crate::types::CloseReason;

/// Events for one room that leave in one write when a worker is behind. On the wire each has up to 17 bytes more: where
/// they have 30 bytes or more, all fit into one TLS record of 16 KiB.
const BATCH_BYTES: usize = 10 << 10;

/// What is under way to a room that is larger than a slice. All of it still counts in the inbox, which bounds it.
#[derive(Default)]
pub(in crate::subscriber) struct FanOut {
    batch: Batch,
    /// How many members are still to be served with the batch: those at the places before.
    pub(in crate::subscriber) left: usize,
    /// What was taken from the inbox since, in order.
    waiting: VecDeque<Job>,
}

/// Events of one room, encoded.
#[derive(Default)]
struct Batch {
    jobs: Vec<Job>,
    items: Vec<Item>,
    /// All of them in one piece, if there are several.
    joined: Option<Item>,
}

impl Worker {
    pub(super) async fn fan_out(self: &Rc<Self>) {
        let Some(inbox) = self.door.hub.inbox(self.index.into()) else { return };
        loop {
            // Writes are no waits: tokio's budget would make each that comes after 128 others wait all the same.
            let is_behind = unconstrained(async { self.take_turns(inbox) }).await;
            self.relieve_node();
            if is_behind {
                yield_now().await;
                continue;
            }
            // What was published before is delivered before.
            if let Some(done) = self.closing.take() {
                self.close_all();
                let _ = done.send(());
            }
            tokio::select! {
                () = inbox.filled() => {}
                () = self.close_asked.notified() => {}
            }
        }
    }

    /// Serves the rooms that wait in the inbox, up to a slice of members in all, and then a slice of one large room. Says
    /// whether more may be to do.
    fn take_turns(&self, inbox: &Inbox) -> bool {
        let mut served = 0;
        while served < self.config.slice {
            let jobs = inbox.take(BATCH_BYTES);
            if jobs.is_empty() {
                return self.serve_large(inbox);
            }
            served += self.serve(inbox, jobs).max(1);
        }
        self.serve_large(inbox);
        true
    }

    /// Sends events to a room, unless it is so large that they have to wait for the room's turn. Says how many members
    /// it served.
    fn serve(&self, inbox: &Inbox, jobs: Vec<Job>) -> usize {
        let mut members = self.members.borrow_mut();
        let name = jobs.first().map(|job| &job.publication.room);
        let Some((name, room)) = name.and_then(|name| Some((name, members.room(name)?))) else {
            inbox.is_sent(&jobs);
            return 0;
        };
        let served = room.sessions.len();
        if room.fan_out.is_some() || served > self.config.slice {
            let fan_out = room.fan_out.get_or_insert_with(|| {
                self.under_way.borrow_mut().push_back(name.clone());
                Box::default()
            });
            fan_out.waiting.extend(jobs);
            return 0;
        }
        let mut left = served;
        let mut batch = Batch { jobs, ..Batch::default() };
        let ended = batch.serve(room, &mut left, served);
        inbox.is_sent(&batch.jobs);
        drop(members);
        close(ended);
        served
    }

    /// Sends what is under way in the room whose turn it is to a slice of its members. Says whether anything is under way
    /// then.
    fn serve_large(&self, inbox: &Inbox) -> bool {
        let Some(name) = self.under_way.borrow_mut().pop_front() else { return false };
        let mut members = self.members.borrow_mut();
        let Some(room) = members.room(&name) else { return true };
        let Some(mut fan_out) = room.fan_out.take() else { return true };
        if fan_out.batch.jobs.is_empty() {
            fan_out.begin(room.sessions.len());
        }
        let FanOut { batch, left, waiting } = &mut *fan_out;
        let ended = batch.serve(room, left, self.config.slice);
        if *left == 0 {
            inbox.is_sent(&batch.jobs);
            *batch = Batch::default();
        }
        if *left == 0 && waiting.is_empty() {
            members.forget_if_empty(&name);
        } else {
            room.fan_out = Some(fan_out);
            self.under_way.borrow_mut().push_back(name);
        }
        drop(members);
        close(ended);
        !self.under_way.borrow().is_empty()
    }
}

fn close(ended: Vec<(Rc<Session>, End)>) {
    for (session, reason) in ended {
        session.close(reason);
    }
}

impl FanOut {
    /// Makes the next batch of what waits, for so many members.
    fn begin(&mut self, members: usize) {
        self.batch.jobs = batch(&mut self.waiting, BATCH_BYTES);
        self.left = members;
    }
}

impl Batch {
    /// Sends the events to the last `slice` of the members that are `left`, and tells whose sessions end with it. Going
    /// from the last to the first, nobody is left out: who comes amid it stands behind. A defect costs those who are left
    /// their sessions, and nobody else: none of them loses an event in silence.
    fn serve(&mut self, room: &Room, left: &mut usize, slice: usize) -> Vec<(Rc<Session>, End)> {
        let mut ended = Vec::new();
        let end = left.saturating_sub(slice);
        let sent = catch_unwind(AssertUnwindSafe(|| {
            self.encode();
            while *left > end {
                if let Some(session) = room.sessions.get(*left - 1)
                    && let Err(reason) = self.send(session)
                {
                    ended.push((Rc::clone(session), reason));
                }
                *left -= 1;
            }
        }));
        if sent.is_err() {
            tracing::error!("a worker failed, and goes on");
            let left_out = room.sessions.iter().take(*left).filter(|session| self.last() > session.since.get());
            ended.extend(left_out.map(|session| (Rc::clone(session), CloseReason::Defect)));
            *left = 0;
        }
        ended
    }

    fn encode(&mut self) {
        if self.items.is_empty() {
            self.items = self.jobs.iter().map(encode).collect();
            self.joined = (self.items.len() > 1).then(|| Item::joined(&self.items));
        }
    }

    fn last(&self) -> u64 {
        self.jobs.last().map_or(0, |job| job.position.sequence)
    }

    /// Sends a member what was published after it joined.
    fn send(&self, session: &Session) -> Result<(), End> {
        let since = session.since.get();
        if self.last() <= since {
            return Ok(());
        }
        let is_new = |job: &Job| job.position.sequence > since;
        if let Some(joined) = self.joined.as_ref().or(self.items.first())
            && self.jobs.first().is_some_and(is_new)
            && session.is_on_websocket()
        {
            return session.push_all(std::iter::once(joined));
        }
        let new = self.jobs.iter().zip(&self.items).filter(|(job, _)| is_new(job));
        session.push_all(new.map(|(_, item)| item))
    }
}

fn encode(job: &Job) -> Item {
    let publication = &job.publication;
    let (name, json) = (publication.event.as_str(), publication.payload.json());
    if name.bytes().any(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
        let name = serde_json::Value::from(name).to_string();
        return Item::event(&["42[", &name, ",", json, "]"]);
    }
    Item::event(&["42[\"", name, "\",", json, "]"])
}
