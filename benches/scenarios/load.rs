//! The load: subscribers and publishers of one process and one thread, who check everything that they hear.
//!
//! Every publish carries a stamp: its stream, its place in it, and when it was due. A stream is one publisher's events for
//! one room, so each subscriber knows which number must come next. A greater one means that those between are lost: they are
//! counted, and the sample tells so at its end. A lesser one, an event again or too late, is a fault at once.

mod link;
mod plan;
mod publisher;
mod publishing;
mod stamp;
mod subscriber;
mod tally;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use mio::{Events, Poll, Token};
use rustls::ClientConfig;

use super::server::{Server, token};
use super::usage::Usage;
use link::{Link, Scratch};
use plan::Plan;
use publisher::Publisher;
pub use publishing::{Published, Publishing};
pub use stamp::{BODY_DATA_AT, BODY_ROOM};
use subscriber::{Stage, Subscriber};
use tally::Tally;

/// The origin that the subscribers come from.
pub const ORIGIN: &str = "https://localhost";

/// Tokens of publishers begin here; those below are subscribers'.
const PUBLISHERS: usize = 1 << 24;
/// How long all subscribers together may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(120);
/// How long nothing may come for those who read late, before what is missing counts as lost: the kernel asks them in ever
/// longer intervals whether they read again.
const LATE_QUIET: Duration = Duration::from_secs(15);

/// How subscribers connect.
#[derive(Clone, Debug)]
pub struct Connecting {
    /// How many.
    pub subscribers: usize,
    /// Rooms that they are spread over.
    pub rooms: usize,
    /// Publishers that will publish to these rooms.
    pub publishers: usize,
    /// Connects under way at a time.
    pub at_once: usize,
    /// Bytes of a segment that the subscribers take; none: what the loopback device can. The kernel keeps a multiple of
    /// it for a peer that reads nothing.
    pub mss: Option<u32>,
}

/// What connecting cost.
#[derive(Clone, Copy, Debug)]
pub struct Connected {
    /// CPU time of the server for each connect, in milliseconds.
    pub cpu_ms: f64,
    /// Connects a second.
    pub per_second: f64,
    /// How many handshakes were resumed ones.
    pub resumed: usize,
}

/// How those fared who stopped reading.
#[derive(Clone, Copy, Debug)]
pub struct Unstalled {
    /// The server had closed them.
    pub closed: usize,
    /// Events that they missed without being closed.
    pub missed: u64,
}

/// All clients of one server.
pub struct Load<'s> {
    server: &'s Server,
    tls: Option<Arc<ClientConfig>>,
    token: String,
    poll: Poll,
    events: Events,
    scratch: Scratch,
    plan: Plan,
    subscribers: Vec<Subscriber>,
    publishers: Vec<Publisher>,
    /// Whose turn it is to publish.
    turn: usize,
    tally: Tally,
}

impl<'s> Load<'s> {
    /// No clients yet. Without a configuration of TLS the ports are plain.
    ///
    /// # Errors
    /// When the system refuses a poll.
    pub fn new(server: &'s Server, tls: Option<Arc<ClientConfig>>) -> anyhow::Result<Self> {
        Ok(Self {
            server,
            tls,
            token: token(),
            poll: Poll::new()?,
            events: Events::with_capacity(4096),
            scratch: Scratch::default(),
            plan: Plan::default(),
            subscribers: Vec::new(),
            publishers: Vec::new(),
            turn: 0,
            tally: Tally::new()?,
        })
    }

    /// Connects subscribers and waits until all of them are in their rooms.
    ///
    /// # Errors
    /// When one is refused, or they take too long.
    pub fn connect(&mut self, connecting: &Connecting) -> anyhow::Result<Connected> {
        let Connecting { subscribers, rooms, publishers, at_once, mss } = *connecting;
        self.plan = Plan { rooms, publishers };
        let before = self.server.usage()?;
        let start = Instant::now();
        let deadline = start + CONNECT_TIMEOUT;
        while self.tally.joined < subscribers {
            while self.subscribers.len() < subscribers.min(self.tally.joined + at_once) {
                self.dial(mss)?;
            }
            self.turn(Duration::from_millis(100))?;
            self.tally.check()?;
            let joined = self.tally.joined;
            ensure!(Instant::now() < deadline, "{joined} of {subscribers} connected after {CONNECT_TIMEOUT:?}");
        }
        let cpu_s = self.server.usage()?.cpu_s - before.cpu_s;
        let resumed = self.subscribers.iter().filter(|subscriber| subscriber.link.is_resumed()).count();
        let count = subscribers as f64;
        Ok(Connected { cpu_ms: cpu_s * 1000.0 / count, per_second: count / start.elapsed().as_secs_f64(), resumed })
    }

    fn dial(&mut self, mss: Option<u32>) -> anyhow::Result<()> {
        let place = self.subscribers.len();
        let link = Link::dial(self.server.consumer, mss, self.tls.clone(), &self.poll, Token(place))
            .with_context(|| format!("subscriber {place}"))?;
        self.subscribers.push(Subscriber::new(link, &self.plan, place));
        Ok(())
    }

    /// Answers what comes for a while.
    ///
    /// # Errors
    /// When a subscriber is lost.
    pub fn linger(&mut self, time: Duration) -> anyhow::Result<Usage> {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            self.turn(Duration::from_millis(50))?;
        }
        self.tally.check()?;
        self.server.usage()
    }

    /// Lets each `nth` subscriber stop reading. Returns how many there are.
    pub fn stall(&mut self, nth: usize) -> usize {
        let stalled = self.subscribers.iter_mut().step_by(nth);
        stalled.map(|subscriber| subscriber.stage = Stage::Stalled).count()
    }

    /// Lets those who stopped read on, until each of them has heard everything or is closed, or nothing comes any more.
    ///
    /// # Errors
    /// When one hears an event again or too late. What they miss is counted.
    pub fn unstall(&mut self) -> anyhow::Result<Unstalled> {
        let is_stalled = |place: &usize| self.subscribers[*place].stage == Stage::Stalled;
        let stalled: Vec<_> = (0..self.subscribers.len()).filter(is_stalled).collect();
        let skipped = self.tally.skipped;
        for place in &stalled {
            self.subscribers[*place].stage = Stage::Late;
            self.serve_subscriber(*place);
        }
        let (mut missed, mut last) = (u64::MAX, Instant::now());
        while last.elapsed() < LATE_QUIET {
            let late = stalled.iter().map(|place| &self.subscribers[*place]).filter(|one| one.stage == Stage::Late);
            let still_missed = late.map(|subscriber| self.missed(subscriber)).sum();
            if still_missed == 0 {
                missed = 0;
                break;
            }
            if still_missed != missed {
                (missed, last) = (still_missed, Instant::now());
            }
            self.linger(Duration::from_millis(100))?;
        }
        self.tally.check()?;
        let closed = stalled.iter().filter(|place| self.subscribers[**place].stage == Stage::Closed).count();
        Ok(Unstalled { closed, missed: missed + self.tally.skipped - skipped })
    }

    /// One look at what the kernel has for us.
    fn turn(&mut self, timeout: Duration) -> anyhow::Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            match event.token().0.checked_sub(PUBLISHERS) {
                Some(place) => self.serve_publisher(place)?,
                None => self.serve_subscriber(event.token().0),
            }
        }
        self.events = events;
        Ok(())
    }

    fn serve_subscriber(&mut self, place: usize) {
        if let Some(subscriber) = self.subscribers.get_mut(place) {
            subscriber.serve(&self.plan, &self.token, &mut self.scratch, &mut self.tally);
        }
    }

    fn serve_publisher(&mut self, place: usize) -> anyhow::Result<()> {
        let Some(publisher) = self.publishers.get_mut(place) else { return Ok(()) };
        if let Some(stream) = publisher.serve(&mut self.scratch).with_context(|| format!("publisher {place}"))? {
            self.tally.expected += self.tally.listeners[self.plan.room_of_stream(stream)];
        }
        Ok(())
    }

    /// Events that were taken for a subscriber's room and did not reach it.
    fn missed(&self, subscriber: &Subscriber) -> u64 {
        let streams = self.plan.streams_of_room(subscriber.room);
        let taken = streams.map(|stream| self.publishers[self.plan.publisher_of_stream(stream)].taken(stream));
        taken.zip(&subscriber.next).map(|(taken, next)| u64::from(taken.saturating_sub(*next))).sum()
    }
}
