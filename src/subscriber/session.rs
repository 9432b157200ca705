//! One Engine.IO session, from its handshake to its close. It belongs to one worker and is touched by that worker alone.

pub(super) mod connect;
mod conversation;
mod cut_off;
pub(super) mod polling;
pub(super) mod upgrade;
pub(super) mod websocket;

use std::borrow::Borrow;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::config::QueuePolicy;
use super::handshake::Handshake;
use super::outbox::{Item, Outbox};
use super::session_id::SessionId;
use super::wire::packet::{EnginePacket, Kind, Malformed, SocketPacket};
use super::worker::Worker;
use crate::hub::Membership;
use crate::types::queues::QueuedBytes;
use crate::types::stats::GaugeGuard;
use crate::types::{CloseReason, RoomName};
use connect::Turn;
use conversation::Conversation;
use polling::Poll;
use upgrade::Candidate;
use websocket::Websocket;

/// How long a closed websocket may take to accept what it is still owed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A session. Its worker's table owns it; tasks hold it for as long as they serve it.
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) worker: Weak<Worker>,
    /// The sequence number of the last publication that came before it joined: of those it hears nothing.
    pub(super) since: Cell<u64>,
    /// When its worker looks at it next.
    pub(super) alarm: Cell<Option<Instant>>,
    pub(super) state: RefCell<State>,
}

/// What of a session changes.
pub(super) struct State {
    /// None once the session is closed, which gives its seat back.
    pub(super) handshake: Option<Box<Handshake>>,
    pub(super) transport: Transport,
    pub(super) outbox: Outbox,
    pub(super) socket: Socket,
    /// The task that waits for a turn, which ends when this is dropped. There is one at most, however often the client
    /// leaves and comes again.
    pub(super) waiter: Option<oneshot::Sender<()>>,
    /// Binary messages that belong to an event and are still to come.
    attachments_left: u8,
    conversation: Option<Box<Conversation>>,
    pub(super) heart: Heart,
    /// Since when the transport has taken nothing of what waits.
    pub(super) stalled_since: Option<Instant>,
    /// When to stop waiting for the transport of a closed session.
    close_deadline: Option<Instant>,
}

/// What carries the session's packets.
pub(super) enum Transport {
    Polling(Poll),
    Websocket(Websocket),
    Closed,
}

/// The session's part in `/`, the namespace of the rooms.
pub(super) enum Socket {
    /// Nobody yet, or nobody any more.
    Outside,
    /// Its CONNECT waits for its turn.
    Waiting(Turn),
    /// A subscriber.
    Joined(Joined),
}

/// A subscriber in its rooms.
pub(super) struct Joined {
    pub(super) membership: Membership,
    /// Its place among the members of each room, in the order of the membership's rooms.
    pub(super) places: Vec<usize>,
    pub(super) _counted: GaugeGuard,
}

/// When the next ping is due, or the pong to the last one.
pub(super) struct Heart {
    awaits_pong: bool,
    pub(super) deadline: Instant,
}

/// Why a session cannot go on.
pub(super) type End = CloseReason;

impl State {
    /// Gives up the transport and what it is still owed, for tasks may hold the session longer.
    fn end_transport(&mut self) {
        self.transport = Transport::Closed;
        self.outbox.clear();
    }
}

impl Session {
    pub(super) fn new(id: SessionId, worker: &Rc<Worker>, handshake: Handshake, transport: Transport) -> Rc<Self> {
        let ping = worker.ping_deadline(Instant::now());
        Rc::new(Self {
            id,
            worker: Rc::downgrade(worker),
            since: Cell::new(0),
            alarm: Cell::default(),
            state: RefCell::new(State {
                handshake: Some(Box::new(handshake)),
                transport,
                outbox: Outbox::counted(QueuedBytes::new(Arc::clone(&worker.queued))),
                socket: Socket::Outside,
                waiter: None,
                attachments_left: 0,
                conversation: None,
                heart: Heart { awaits_pong: false, deadline: ping },
                stalled_since: None,
                close_deadline: None,
            }),
        })
    }

    /// Takes one text packet of the client.
    ///
    /// # Errors
    /// When the session ends with it.
    pub(super) fn receive(self: &Rc<Self>, text: &str) -> Result<(), End> {
        match EnginePacket::read(text)? {
            EnginePacket::Ping => Ok(()),
            EnginePacket::Pong => {
                self.hear_pong();
                Ok(())
            }
            EnginePacket::Message(_) if self.state.borrow().attachments_left > 0 => Err(CloseReason::ProtocolError),
            EnginePacket::Message(text) => self.receive_text(text),
            EnginePacket::Close => Err(CloseReason::ClientClosed),
            EnginePacket::Probe | EnginePacket::Upgrade | EnginePacket::Noop => Err(CloseReason::ProtocolError),
        }
    }

    fn receive_packet(self: &Rc<Self>, text: &str) -> Result<(), End> {
        let packet = SocketPacket::read(text)?;
        let is_ours = packet.namespace == "/";
        match packet.kind {
            Kind::Connect(auth) if is_ours => self.ask_to_join(auth),
            Kind::Connect(auth) => self.enter(packet.namespace, auth),
            Kind::Disconnect | Kind::Event { .. } if is_ours && !self.was_let_in() => Err(CloseReason::ProtocolError),
            Kind::Disconnect if is_ours => {
                self.leave(CloseReason::ClientClosed);
                Ok(())
            }
            Kind::Disconnect => {
                self.exit(packet.namespace);
                Ok(())
            }
            Kind::Event { attachments } => self.receive_event(&packet, text, attachments),
        }
    }

    fn was_let_in(&self) -> bool {
        self.state.borrow().handshake.as_ref().is_some_and(|handshake| handshake.was_let_in.get())
    }

    /// Queues a packet, or writes it at once if nothing waits before it.
    ///
    /// # Errors
    /// When the session cannot go on: its transport is broken, or it is owed too much.
    pub(super) fn push(&self, item: Item) -> Result<(), End> {
        self.answer(std::iter::once(item))
    }

    /// The same for several, which one answer to a poll takes together.
    ///
    /// # Errors
    /// As [`Session::push`].
    fn answer(&self, items: impl Iterator<Item = Item>) -> Result<(), End> {
        self.push_all(items)?;
        if let Some(worker) = self.worker.upgrade() {
            worker.ask_for_relief();
        }
        Ok(())
    }

    /// The same, where whoever calls it looks after the sum of all queues.
    ///
    /// # Errors
    /// As [`Session::push`].
    pub(super) fn push_all(&self, items: impl Iterator<Item: Borrow<Item>>) -> Result<(), End> {
        let Some(worker) = self.worker.upgrade() else { return Err(CloseReason::Shutdown) };
        let mut state = self.state.borrow_mut();
        let State { transport, outbox, stalled_since, .. } = &mut *state;
        for item in items {
            let item = item.borrow();
            match transport {
                Transport::Websocket(websocket) if outbox.is_empty() => websocket.write_now(item, outbox)?,
                Transport::Websocket(_) | Transport::Polling(_) => outbox.push(item.clone()),
                Transport::Closed => return Ok(()),
            }
        }
        if let Transport::Polling(poll) = transport {
            poll.answer(outbox)?;
        }
        if outbox.cost() > worker.config.queue_bytes_max {
            match worker.config.queue_policy {
                QueuePolicy::Disconnect => return Err(CloseReason::SlowReader),
                QueuePolicy::DropOldest => {
                    worker.door.stats.undelivered.add(outbox.drop_oldest(worker.config.queue_bytes_max));
                    // What no policy drops are answers. Who does not take them must not ask for more.
                    if outbox.cost_behind_first() > worker.config.queue_bytes_max {
                        return Err(CloseReason::SlowReader);
                    }
                }
            }
        }
        if let Transport::Websocket(websocket) = transport
            && stalled_since.is_none()
            && !websocket.is_idle(outbox)
        {
            let now = Instant::now();
            *stalled_since = Some(now);
            worker.set_timer(self, now + worker.config.write_timeout);
        }
        Ok(())
    }

    fn hear_pong(&self) {
        let Some(worker) = self.worker.upgrade() else { return };
        let mut state = self.state.borrow_mut();
        if state.heart.awaits_pong {
            let deadline = worker.ping_deadline(Instant::now());
            state.heart = Heart { awaits_pong: false, deadline };
            drop(state);
            worker.set_timer(self, deadline);
        }
    }

    /// Does what is due, and says when to ask again.
    ///
    /// # Errors
    /// When the session's time is over.
    pub(super) fn on_timer(self: &Rc<Self>, now: Instant) -> Result<Option<Instant>, End> {
        let Some(worker) = self.worker.upgrade() else { return Ok(None) };
        let mut state = self.state.borrow_mut();
        if let Some(deadline) = state.close_deadline {
            if now >= deadline {
                // Who serves it is told, and lets go of the session.
                if let Transport::Websocket(websocket) = &mut state.transport {
                    websocket.wake();
                }
                state.end_transport();
            }
            return Ok(Some(deadline).filter(|deadline| now < *deadline));
        }
        let Some(handshake) = &state.handshake else { return Ok(None) };
        let connect = (!handshake.was_let_in.get()).then_some(handshake.opened + worker.config.connect_timeout);
        if connect.is_some_and(|deadline| now >= deadline) {
            return Err(CloseReason::ClientClosed);
        }
        let stall = state.stalled_since.map(|since| since + worker.config.write_timeout);
        if stall.is_some_and(|deadline| now >= deadline) {
            return Err(CloseReason::WriteTimeout);
        }
        if let Transport::Polling(poll) = &mut state.transport {
            poll.check()?;
        }
        let mut ping = false;
        if now >= state.heart.deadline {
            if state.heart.awaits_pong {
                return Err(CloseReason::PingTimeout);
            }
            state.heart = Heart { awaits_pong: true, deadline: now + worker.config.ping_timeout };
            ping = true;
        }
        let next = [connect, stall, Some(state.heart.deadline)].into_iter().flatten().min();
        drop(state);
        if ping {
            self.push(Item::packet(&["2"]))?;
        }
        Ok(next)
    }

    /// Leaves the namespace and its rooms, if it is in there.
    pub(super) fn leave(self: &Rc<Self>, reason: CloseReason) {
        let Some(worker) = self.worker.upgrade() else { return };
        let socket = std::mem::replace(&mut self.state.borrow_mut().socket, Socket::Outside);
        if let Socket::Joined(joined) = socket {
            worker.members.borrow_mut().remove(&joined);
            worker.door.stats.closes(reason).inc();
            let peer =
                self.state.borrow().handshake.as_ref().map(|handshake| tracing::field::display(handshake.client.peer));
            tracing::debug!(reason = reason.label(), remoteIp = peer, "disconnected");
        }
    }

    /// Takes note of its new place among the members of a room.
    pub(super) fn is_moved(&self, room: &RoomName, place: usize) {
        if let Socket::Joined(joined) = &mut self.state.borrow_mut().socket {
            let rooms = joined.membership.rooms().iter();
            if let Some((_, own)) = rooms.zip(&mut joined.places).find(|(name, _)| *name == room) {
                *own = place;
            }
        }
    }

    /// Ends the session: it leaves its rooms, gives its seat back, and its transport is closed once it has taken what was
    /// queued. Does nothing the second time.
    pub(super) fn close(self: &Rc<Self>, reason: CloseReason) {
        self.close_with(reason, None);
    }

    /// Ends the session with a code for the websocket's close frame.
    pub(super) fn close_with(self: &Rc<Self>, reason: CloseReason, code: Option<u16>) {
        self.leave(reason);
        let Some(worker) = self.worker.upgrade() else { return };
        let mut state = self.state.borrow_mut();
        if state.handshake.take().is_none() {
            return;
        }
        state.conversation = None;
        state.waiter = None;
        let State { transport, outbox, close_deadline, .. } = &mut *state;
        match transport {
            Transport::Polling(poll) => {
                poll.close(outbox);
                state.end_transport();
            }
            Transport::Websocket(websocket) => {
                let deadline = Instant::now() + CLOSE_TIMEOUT;
                *close_deadline = Some(deadline);
                websocket.close(code, outbox);
                worker.set_timer(self, deadline);
                worker.ask_for_relief();
            }
            Transport::Closed => {}
        }
        let is_over = matches!(state.transport, Transport::Closed);
        drop(state);
        if is_over {
            worker.forget(self.id);
        }
    }

    /// Whether the session is closed, though its transport may not be yet.
    pub(super) fn is_closed(&self) -> bool {
        self.state.borrow().handshake.is_none()
    }

    /// Whether a piece of several packets can be written to it.
    pub(super) fn is_on_websocket(&self) -> bool {
        matches!(self.state.borrow().transport, Transport::Websocket(_))
    }

    /// A websocket that wants to take over, unless there is one already or the session is not polling.
    pub(super) fn accept_candidate(&self) -> Option<Candidate> {
        match &mut self.state.borrow_mut().transport {
            Transport::Polling(poll) => poll.accept_candidate(),
            Transport::Websocket(_) | Transport::Closed => None,
        }
    }
}

impl From<Malformed> for CloseReason {
    fn from(_: Malformed) -> Self {
        Self::ProtocolError
    }
}
