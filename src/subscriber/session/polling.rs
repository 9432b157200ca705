//! A session over polling: one request waits for packets, another brings some.

use std::rc::Rc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::upgrade::{Candidate, CandidateState};
use super::{End, Session, State, Transport};
use crate::subscriber::engine_error::EngineError;
use crate::subscriber::outbox::{Item, Outbox};
use crate::subscriber::wire::packet::EnginePacket;
use crate::subscriber::wire::payload;
use crate::types::CloseReason;

/// What a request of a polling session is answered: packets, or why not.
pub(in crate::subscriber) type Reply = oneshot::Sender<Result<String, EngineError>>;

/// What a request is let go with when there is nothing to say.
pub(in crate::subscriber) const NOOP: &str = "6";

/// The polling side of a session.
#[derive(Default)]
pub(in crate::subscriber) struct Poll {
    /// The request that waits for packets.
    waiting: Option<Reply>,
    /// The request that brings packets. It is told when this is dropped with the session or for a websocket.
    posting: Option<oneshot::Sender<()>>,
    /// A websocket that may take over.
    candidate: Option<CandidateState>,
}

impl Poll {
    /// Answers the request that waits, if there is something to say.
    ///
    /// # Errors
    /// When the client is gone, and with it what it was told.
    pub(super) fn answer(&mut self, outbox: &mut Outbox) -> Result<(), End> {
        if outbox.is_empty() {
            return Ok(());
        }
        match self.waiting.take() {
            Some(waiting) => waiting.send(Ok(outbox.take_payload())).map_err(|_| CloseReason::TransportError),
            None => Ok(()),
        }
    }

    /// Lets the request that waits go with the last packets and word of the end.
    pub(super) fn close(&mut self, outbox: &mut Outbox) {
        outbox.push(Item::packet(&["1"]));
        if let Some(waiting) = self.waiting.take() {
            // If the client is gone, so is its session.
            let _ = waiting.send(Ok(outbox.take_payload()));
        }
    }

    /// Lets the request that waits go.
    pub(super) fn release(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.send(Ok(NOOP.to_owned()));
        }
    }

    /// # Errors
    /// When the request that waits was given up by its client.
    pub(super) fn check(&self) -> Result<(), End> {
        let is_given_up = self.waiting.as_ref().is_some_and(oneshot::Sender::is_closed);
        if is_given_up { Err(CloseReason::TransportError) } else { Ok(()) }
    }

    pub(super) fn accept_candidate(&mut self) -> Option<Candidate> {
        if self.candidate.is_some() {
            return None;
        }
        let (state, candidate) = CandidateState::new();
        self.candidate = Some(state);
        Some(candidate)
    }

    /// The client probed its websocket: it is to let polling go. Before that every poll waits as ever.
    pub(super) fn note_probe(&mut self) {
        if let Some(candidate) = &mut self.candidate {
            candidate.was_probed = true;
        }
        self.release();
    }

    fn is_being_left(&self) -> bool {
        self.candidate.as_ref().is_some_and(|candidate| candidate.was_probed)
    }

    pub(super) fn drop_candidate(&mut self) {
        self.candidate = None;
    }
}

impl Session {
    /// A request that waits for packets. A second one at once ends the session.
    pub(in crate::subscriber) fn poll(self: &Rc<Self>, reply: Reply) {
        let overlap = {
            let mut state = self.state.borrow_mut();
            let State { transport, outbox, .. } = &mut *state;
            match transport {
                Transport::Polling(poll) if poll.waiting.is_none() => {
                    poll.waiting = Some(reply);
                    let answered = poll.answer(outbox);
                    if answered.is_ok() && poll.is_being_left() {
                        poll.release();
                    }
                    answered.err()
                }
                Transport::Polling(_) | Transport::Websocket(_) | Transport::Closed => {
                    let _ = reply.send(Err(EngineError::BadRequest));
                    matches!(transport, Transport::Polling(_)).then_some(CloseReason::ProtocolError)
                }
            }
        };
        if let Some(reason) = overlap {
            self.close(reason);
        }
    }

    /// The client gave up a request that waited, and what that was told, if anything, is lost. As Node's server, and as the
    /// stock client.
    pub(in crate::subscriber) fn abandon(self: &Rc<Self>) {
        let is_polling = matches!(self.state.borrow().transport, Transport::Polling(_));
        if is_polling {
            self.close(CloseReason::TransportError);
        }
    }

    /// A request is about to bring packets; it gets to know when nobody waits for them any more. A second one at once ends
    /// the session.
    ///
    /// # Errors
    /// When it may not.
    pub(in crate::subscriber) fn begin_post(self: &Rc<Self>) -> Result<oneshot::Receiver<()>, EngineError> {
        if let Transport::Polling(poll) = &mut self.state.borrow_mut().transport {
            if poll.posting.is_none() {
                let (posting, gone) = oneshot::channel();
                poll.posting = Some(posting);
                return Ok(gone);
            }
        } else {
            return Err(EngineError::BadRequest);
        }
        self.close(CloseReason::ProtocolError);
        Err(EngineError::BadRequest)
    }

    /// The request that was to bring packets ended without: they are lost, and with them the session, as Node's server has it.
    pub(in crate::subscriber) fn abandon_post(self: &Rc<Self>) {
        let is_posting = matches!(&self.state.borrow().transport, Transport::Polling(poll) if poll.posting.is_some());
        if is_posting {
            self.close(CloseReason::TransportError);
        }
    }

    /// A request that brings packets.
    pub(in crate::subscriber) fn post(self: &Rc<Self>, body: &[u8], reply: Reply) {
        match &mut self.state.borrow_mut().transport {
            Transport::Polling(poll) => poll.posting = None,
            Transport::Websocket(_) | Transport::Closed => {
                let _ = reply.send(Err(EngineError::BadRequest));
                return;
            }
        }
        // All are looked at before any is taken: of a payload that cannot be read nothing happens.
        let packets: Result<Vec<Packet>, End> =
            payload::split(body).map_err(CloseReason::from).and_then(|packets| packets.map(Packet::read).collect());
        let packets = match packets {
            Ok(packets) => packets,
            Err(reason) => {
                let _ = reply.send(Err(EngineError::BadRequest));
                return self.close(reason);
            }
        };
        let _ = reply.send(Ok("ok".to_owned()));
        let taken = packets.into_iter().try_for_each(|packet| match packet {
            Packet::Text(text) => self.receive(text),
            Packet::Binary(bytes) => self.receive_binary(bytes),
        });
        if let Err(reason) = taken {
            if reason == CloseReason::ClientClosed
                && let Transport::Polling(poll) = &mut self.state.borrow_mut().transport
            {
                poll.release(); // who closes is not told that it did
            }
            self.close(reason);
        }
    }
}

/// A packet of a payload.
enum Packet<'a> {
    Text(&'a str),
    Binary(Bytes),
}

impl<'a> Packet<'a> {
    fn read(text: &'a str) -> Result<Self, End> {
        if let Some(bytes) = payload::read_binary(text)? {
            return Ok(Self::Binary(bytes.into()));
        }
        match EnginePacket::read(text)? {
            EnginePacket::Probe | EnginePacket::Upgrade | EnginePacket::Noop => Err(CloseReason::ProtocolError),
            EnginePacket::Close | EnginePacket::Ping | EnginePacket::Pong | EnginePacket::Message(_) => {
                Ok(Self::Text(text))
            }
        }
    }
}
