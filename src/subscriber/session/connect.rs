//! From a CONNECT packet to a member of rooms: token, turn, rooms, in that order.

use std::iter::once;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{End, Joined, Session, Socket};
use crate::admission::{Claim, Client, Grant, Refusal};
use crate::subscriber::outbox::Item;
use crate::subscriber::worker::Worker;
use crate::types::{Cause, CloseReason, RoomName};

/// A turn that comes so close to the session's timeout, or later, is not taken: the answer to CONNECT might meet it, and the
/// stock client would be connected and at once cut off.
const TURN_MARGIN: Duration = Duration::from_millis(250);

/// A CONNECT that was let in and waits until its user's bucket has room.
#[derive(Clone, Debug)]
pub(in crate::subscriber) struct Turn {
    grant: Grant,
    /// Which of the grant's users is waited for; those before had their turns.
    user: usize,
    at: Instant,
}

impl Session {
    /// Judges a CONNECT packet. A second one changes nothing.
    ///
    /// # Errors
    /// When its `auth` is no JSON.
    pub(super) fn ask_to_join(self: &Rc<Self>, auth: Option<&str>) -> Result<(), End> {
        if !matches!(self.state.borrow().socket, Socket::Outside) {
            return Ok(());
        }
        let Some(worker) = self.worker.upgrade() else { return Err(CloseReason::Shutdown) };
        let grant = match self.judge(&worker, auth)? {
            Ok(grant) => grant,
            Err(refusal) => return self.push(refused(&worker, "/", refusal)),
        };
        self.prepare_greeting(&worker, auth);
        match self.turns(&grant, 0) {
            Ok(()) => self.join(&grant),
            Err((user, at)) => {
                let mut state = self.state.borrow_mut();
                state.socket = Socket::Waiting(Turn { grant, user, at });
                if state.waiter.is_none() {
                    let (waiter, closed) = oneshot::channel();
                    state.waiter = Some(waiter);
                    worker.lifecycle.spawn_local(Rc::clone(self).wait_for_turn(closed));
                }
                Ok(())
            }
        }
    }

    /// What admission says to a CONNECT with this `auth`.
    ///
    /// # Errors
    /// When it is no JSON.
    pub(super) fn judge(&self, worker: &Worker, auth: Option<&str>) -> Result<Result<Grant, Refusal>, End> {
        let auth = auth.map(serde_json::from_str::<serde_json::Value>).transpose();
        let auth = auth.map_err(|_| CloseReason::ProtocolError)?;
        let state = self.state.borrow();
        let Some(handshake) = &state.handshake else { return Err(CloseReason::ClientClosed) };
        let claim = Claim { client: handshake.client, query_rooms: &handshake.rooms, auth: auth.as_ref() };
        Ok(worker.door.admission.connect(claim))
    }

    /// Takes a turn of each user from the given one on, or tells whose turn comes when.
    fn turns(&self, grant: &Grant, from: usize) -> Result<(), (usize, Instant)> {
        let Some(worker) = self.worker.upgrade() else { return Ok(()) };
        for (user, key) in grant.users.iter().enumerate().skip(from) {
            worker.door.admission.turn(key).map_err(|wait| (user, Instant::now() + wait))?;
        }
        Ok(())
    }

    /// Waits until the user's bucket has room. Whoever waits too long for the first CONNECT is closed without a word; who
    /// left the namespace and comes again over the same transport waits for as long as it takes, since a refusal would
    /// keep the stock client away.
    async fn wait_for_turn(self: Rc<Self>, mut closed: oneshot::Receiver<()>) {
        while let Some((client, deadline, turn)) = self.turn() {
            if deadline.is_some_and(|deadline| turn.at >= deadline) {
                self.tell_of_crowd(client, &turn.grant);
                break;
            }
            tokio::select! {
                () = tokio::time::sleep_until(turn.at) => {}
                _ = &mut closed => break,
            }
            // Meanwhile the client may have left, and come again for other rooms.
            let Some((.., turn)) = self.turn() else { break };
            match self.turns(&turn.grant, turn.user) {
                Ok(()) => {
                    if let Err(reason) = self.join(&turn.grant) {
                        self.close(reason);
                    }
                    break;
                }
                Err((user, at)) => self.state.borrow_mut().socket = Socket::Waiting(Turn { user, at, ..turn }),
            }
        }
        self.state.borrow_mut().waiter = None;
    }

    /// Who waits, until when, and for what; none when nobody waits any more.
    fn turn(&self) -> Option<(Client, Option<Instant>, Turn)> {
        let timeout = self.worker.upgrade()?.config.connect_timeout.saturating_sub(TURN_MARGIN);
        let state = self.state.borrow();
        let handshake = state.handshake.as_ref()?;
        let Socket::Waiting(turn) = &state.socket else { return None };
        let deadline = (!handshake.was_let_in.get()).then_some(handshake.opened + timeout);
        Some((handshake.client, deadline, turn.clone()))
    }

    /// The session's timer closes it.
    fn tell_of_crowd(&self, client: Client, grant: &Grant) {
        let Some(worker) = self.worker.upgrade() else { return };
        worker.door.stats.refusals(Cause::UserRate).inc();
        tracing::warn!(
            remoteIp = %client.peer,
            forwardedIp = client.forwarded.map(tracing::field::display),
            uniqueUserId = first_room(grant),
            "rate limit block"
        );
    }

    /// A subscriber joins before its CONNECT is answered, so that it hears whatever is published after the answer.
    fn join(self: &Rc<Self>, grant: &Grant) -> Result<(), End> {
        let Some(worker) = self.worker.upgrade() else { return Err(CloseReason::Shutdown) };
        {
            let mut state = self.state.borrow_mut();
            let Some(handshake) = &state.handshake else { return Ok(()) };
            if matches!(state.socket, Socket::Joined(_)) {
                return Ok(());
            }
            handshake.was_let_in.set(true);
            tracing::info!(
                remoteIp = %handshake.client.peer,
                forwardedIp = handshake.client.forwarded.map(tracing::field::display),
                uniqueUserId = first_room(grant),
                origin = handshake.origin.as_deref(),
                "connected"
            );
            let membership = worker.door.hub.join(worker.index.into(), &grant.rooms);
            self.since.set(membership.since());
            let places = worker.members.borrow_mut().add(self, membership.rooms());
            let counted = worker.door.stats.subscribers.enter();
            state.socket = Socket::Joined(Joined { membership, places, _counted: counted });
        }
        // Not the session's id: whoever knows that one can read the session.
        let id = worker.new_socket_id();
        let answer = Item::packet(&[r#"40{"sid":""#, &id, r#""}"#]);
        self.answer(once(answer).chain(self.take_greeting()))
    }
}

/// The answer to a CONNECT that admission refused: its words and, where the client is told codes, the cause.
pub(super) fn refused(worker: &Worker, namespace: &str, refusal: Refusal) -> Item {
    let code = worker.config.tells_codes.then(|| refusal.cause.label());
    connect_error(namespace, refusal.connect_error(), code)
}

/// The answer to a CONNECT that is not let in.
pub(super) fn connect_error(namespace: &str, message: &str, code: Option<&str>) -> Item {
    let [name, comma] = if namespace == "/" { ["", ""] } else { [namespace, ","] };
    let [data, code, end] = code.map_or(["", "", "}"], |code| [r#","data":{"code":""#, code, r#""}}"#]);
    Item::packet(&["44", name, comma, r#"{"message":""#, message, r#"""#, data, code, end])
}

fn first_room(grant: &Grant) -> Option<&str> {
    grant.rooms.first().map(RoomName::as_str)
}
