//! What one worker owns: its sessions, the members of its rooms, its timers; and what it is asked to do with them.

pub(super) mod fan_out;
mod relief;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{unconstrained, yield_now};
use tokio::time::Instant;

use super::application::Application;
use super::config::Config;
use super::engine_error::EngineError;
use super::handshake::Handshake;
use super::members::Members;
use super::outbox::Item;
use super::session::polling::{Poll, Reply};
use super::session::upgrade;
use super::session::websocket::{self, Link, Websocket};
use super::session::{Session, Transport};
use super::session_id::SessionId;
use super::timers::Timers;
use crate::admission::Admission;
use crate::hub::Hub;
use crate::lifecycle::Lifecycle;
use crate::types::queues::WorkerQueues;
use crate::types::{CloseReason, RoomName, Stats};

/// Commands obeyed, or sessions looked at, before others have their turn: as many as tokio lets a task do.
const TURN: usize = 128;

/// What a worker is asked to do. A request waits for the answer to one before it sends the next, and a link waits in one
/// alone: of sockets that are open at most one each is here. Those given up leave one or two small ones, until the worker
/// has its next turn; and a body at most for each session, which has one POST at once.
pub(super) enum Command {
    /// Opens a session over polling; answered with the open packet, or not at all once every session is closed.
    Open(Handshake, oneshot::Sender<String>),
    /// Opens a session over a websocket.
    OpenWebsocket(Handshake, Box<dyn Link>),
    /// A request that waits for packets.
    Poll(SessionId, Reply),
    /// Its client gave up a request that waited.
    Abandon(SessionId),
    /// Asks whether a request may bring packets, before they are read. One request of a session may at once; the answer
    /// tells it when the session is gone.
    BeginPost(SessionId, oneshot::Sender<Result<oneshot::Receiver<()>, EngineError>>),
    /// Such a request ended without its packets.
    AbandonPost(SessionId),
    /// A request that brings packets.
    Post(SessionId, Bytes, Reply),
    /// A request did what no session survives: it brought more than it may, or of another kind; or it was given up with
    /// packets that it was answered.
    End(SessionId, CloseReason),
    /// Asks whether a session is there.
    Know(SessionId, oneshot::Sender<Result<(), EngineError>>),
    /// A websocket that wants to take over a session.
    Upgrade(SessionId, Box<dyn Link>),
    /// Closes every session.
    Close(oneshot::Sender<()>),
}

/// What a subscriber is judged, heard and counted with.
pub(super) struct Door {
    pub(super) application: Arc<dyn Application>,
    pub(super) admission: Arc<dyn Admission>,
    pub(super) hub: Arc<Hub>,
    pub(super) stats: Arc<Stats>,
}

/// One worker's part of the subscriber side.
pub(super) struct Worker {
    pub(super) index: u16,
    pub(super) config: Config,
    pub(super) door: Door,
    pub(super) lifecycle: Lifecycle,
    pub(super) members: RefCell<Members>,
    /// What its sessions are owed.
    pub(super) queued: Arc<WorkerQueues>,
    sessions: RefCell<Slots>,
    timers: RefCell<Timers>,
    /// The places of sessions that have come up and are still to be looked at.
    due: RefCell<VecDeque<u32>>,
    /// Told when a timer is set, for it may be the first.
    timer_set: Notify,
    /// Who waits for every session to be closed.
    closing: Cell<Option<oneshot::Sender<()>>>,
    close_asked: Notify,
    /// Whether all sessions were closed, after which none is opened.
    is_closed: Cell<bool>,
    /// The rooms where a fan-out in slices is under way, in the order of their turns.
    under_way: RefCell<VecDeque<RoomName>>,
}

/// Sessions by their place.
#[derive(Default)]
struct Slots {
    sessions: Vec<Option<Rc<Session>>>,
    /// The places that are free. The first of them is taken first, so that those at the end become free.
    free: BTreeSet<u32>,
}

impl Slots {
    /// Gives the space back that a crowd took, once it is free at the end.
    fn give_back_room(&mut self) {
        while self.sessions.pop_if(|place| place.is_none()).is_some() {
            self.free.pop_last();
        }
        if self.sessions.len() <= self.sessions.capacity() / 4 {
            self.sessions.shrink_to(self.sessions.len() * 2);
        }
    }
}

impl Worker {
    pub(super) fn new(index: u16, config: Config, door: Door, lifecycle: Lifecycle) -> Rc<Self> {
        let queued = door.stats.queues.of(index.into());
        Rc::new(Self {
            index,
            config,
            queued,
            door,
            lifecycle,
            members: RefCell::default(),
            sessions: RefCell::default(),
            timers: RefCell::new(Timers::new(Instant::now())),
            due: RefCell::default(),
            timer_set: Notify::new(),
            closing: Cell::default(),
            close_asked: Notify::new(),
            is_closed: Cell::default(),
            under_way: RefCell::default(),
        })
    }

    /// Serves until the process ends. A defect costs what was being done, and not the worker.
    pub(super) async fn run(self: Rc<Self>, mut commands: mpsc::UnboundedReceiver<Command>) {
        loop {
            let work = async { tokio::join!(self.obey(&mut commands), self.fan_out(), self.keep_time()) };
            if AssertUnwindSafe(work).catch_unwind().await.is_ok() {
                return;
            }
            tracing::error!("a worker failed, and goes on");
        }
    }

    async fn obey(self: &Rc<Self>, commands: &mut mpsc::UnboundedReceiver<Command>) {
        let obey = async {
            let mut turn = TURN;
            while let Some(command) = commands.recv().await {
                self.obey_one(command);
                turn -= 1;
                if turn == 0 {
                    yield_now().await;
                    turn = TURN;
                }
            }
        };
        // As with events: answers are written when it is their turn, however many went before.
        unconstrained(obey).await;
    }

    fn obey_one(self: &Rc<Self>, command: Command) {
        match command {
            Command::Open(handshake, reply) => self.open(handshake, reply),
            Command::OpenWebsocket(handshake, link) => self.open_websocket(handshake, link),
            Command::Poll(id, reply) => match self.session(id) {
                Some(session) => session.poll(reply),
                None => {
                    let _ = reply.send(Err(EngineError::SessionUnknown));
                }
            },
            Command::Post(id, body, reply) => match self.session(id) {
                Some(session) => session.post(&body, reply),
                None => {
                    let _ = reply.send(Err(EngineError::SessionUnknown));
                }
            },
            Command::Abandon(id) => {
                if let Some(session) = self.session(id) {
                    session.abandon();
                }
            }
            Command::BeginPost(id, reply) => {
                let session = self.session(id).ok_or(EngineError::SessionUnknown);
                let _ = reply.send(session.and_then(|session| session.begin_post()));
            }
            Command::AbandonPost(id) => {
                // A drain ends the requests, and then the sessions.
                if let Some(session) = self.session(id)
                    && !self.lifecycle.closing.is_cancelled()
                {
                    session.abandon_post();
                }
            }
            Command::End(id, reason) => {
                if let Some(session) = self.session(id) {
                    session.close(reason);
                }
            }
            Command::Know(id, reply) => {
                let known = self.session(id).map(drop).ok_or(EngineError::SessionUnknown);
                let _ = reply.send(known);
            }
            Command::Upgrade(id, link) => {
                let session = self.session(id);
                if let Some((session, candidate)) = session.and_then(|session| {
                    let candidate = session.accept_candidate()?;
                    Some((session, candidate))
                }) {
                    self.lifecycle.spawn_local(upgrade::serve(session, link, candidate));
                }
            }
            Command::Close(done) => {
                self.closing.set(Some(done));
                self.close_asked.notify_one();
            }
        }
    }

    fn open(self: &Rc<Self>, handshake: Handshake, reply: oneshot::Sender<String>) {
        if self.is_closed.get() {
            return;
        }
        let session = self.add(handshake, Transport::Polling(Poll::default()));
        let open = self.open_packet(session.id, r#"["websocket"]"#);
        if reply.send(open).is_err() {
            session.close(CloseReason::TransportError);
        }
    }

    fn open_websocket(self: &Rc<Self>, handshake: Handshake, link: Box<dyn Link>) {
        // Its handshake was answered before the drain began, and its bytes came after all others were closed.
        if self.is_closed.get() {
            return;
        }
        let websocket = Websocket::new(link, self.config.payload_bytes_max);
        let session = self.add(handshake, Transport::Websocket(websocket));
        let open = self.open_packet(session.id, "[]");
        if let Err(reason) = session.push(Item::packet(&[&open])) {
            session.close(reason);
        }
        self.lifecycle.spawn_local(websocket::serve(session));
    }

    fn open_packet(&self, id: SessionId, upgrades: &str) -> String {
        let Config { ping_interval, ping_timeout, payload_bytes_max, .. } = &self.config;
        let (interval, timeout) = (ping_interval.as_millis(), ping_timeout.as_millis());
        format!(
            r#"0{{"sid":"{id}","upgrades":{upgrades},"pingInterval":{interval},"pingTimeout":{timeout},"maxPayload":{payload_bytes_max}}}"#
        )
    }

    fn add(self: &Rc<Self>, handshake: Handshake, transport: Transport) -> Rc<Session> {
        let connect = handshake.opened + self.config.connect_timeout;
        let mut slots = self.sessions.borrow_mut();
        let slot = slots.free.pop_first().unwrap_or_else(|| {
            slots.sessions.push(None);
            u32::try_from(slots.sessions.len() - 1).unwrap_or(u32::MAX)
        });
        let session = Session::new(SessionId::new(self.index, slot), self, handshake, transport);
        if let Some(place) = slots.sessions.get_mut(slot as usize) {
            *place = Some(Rc::clone(&session));
        }
        drop(slots);
        let ping = session.state.borrow().heart.deadline;
        self.set_timer(&session, connect.min(ping));
        session
    }

    fn session(&self, id: SessionId) -> Option<Rc<Session>> {
        let session = self.at(id.slot)?;
        (session.id == id && !session.is_closed()).then_some(session)
    }

    fn at(&self, slot: u32) -> Option<Rc<Session>> {
        self.sessions.borrow().sessions.get(slot as usize)?.clone()
    }

    /// Frees the place of a session that is over.
    pub(super) fn forget(&self, id: SessionId) {
        let mut slots = self.sessions.borrow_mut();
        let place = slots.sessions.get_mut(id.slot as usize);
        if place.and_then(|place| place.take_if(|session| session.id == id)).is_some() {
            slots.free.insert(id.slot);
            slots.give_back_room();
        }
    }

    /// When the next ping of a session is due: a little before the interval is over, so that those who came together
    /// are not pinged together for ever.
    pub(super) fn ping_deadline(&self, now: Instant) -> Instant {
        now + self.config.ping_interval.mul_f64(rand::random_range(0.9..1.0))
    }

    /// An id for a Socket.IO session; it opens nothing.
    pub(super) fn new_socket_id(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rand::random::<[u8; 15]>())
    }

    /// Looks at a session at `deadline`, if it is not looked at before then.
    pub(super) fn set_timer(&self, session: &Session, deadline: Instant) {
        if session.alarm.get().is_none_or(|alarm| deadline < alarm) {
            session.alarm.set(Some(self.timers.borrow_mut().set(session.id.slot, deadline)));
            self.timer_set.notify_one();
        }
    }

    async fn keep_time(self: &Rc<Self>) {
        loop {
            unconstrained(self.look_at_due()).await;
            self.relieve_node();
            self.wait_for_due().await;
        }
    }

    async fn wait_for_due(&self) {
        loop {
            let next = self.timers.borrow().next();
            match next {
                Some(next) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(next) => break,
                        () = self.timer_set.notified() => {}
                    }
                }
                None => self.timer_set.notified().await,
            }
        }
        *self.due.borrow_mut() = self.timers.borrow_mut().take_due(Instant::now()).into();
    }

    /// Does what is due, and what a defect left of it.
    async fn look_at_due(self: &Rc<Self>) {
        let mut turn = TURN;
        loop {
            let Some(slot) = self.due.borrow_mut().pop_front() else { return };
            let now = Instant::now();
            // One that was set for an earlier moment has taken the place of this one.
            if let Some(session) = self.at(slot)
                && session.alarm.get().is_some_and(|alarm| alarm <= now)
            {
                session.alarm.set(None);
                match session.on_timer(now) {
                    Ok(Some(next)) => self.set_timer(&session, next),
                    Ok(None) => {}
                    Err(reason) => session.close(reason),
                }
            }
            turn -= 1;
            if turn == 0 {
                yield_now().await;
                turn = TURN;
            }
        }
    }

    fn close_all(&self) {
        self.is_closed.set(true);
        let sessions: Vec<_> = self.sessions.borrow().sessions.iter().flatten().cloned().collect();
        for session in sessions {
            session.close(CloseReason::Shutdown);
        }
    }
}

#[cfg(any(test, fuzzing))]
pub(super) mod tests;
