//! From a CONNECT packet to a member of rooms: token, turn, rooms, in that order.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use socketioxide::extract::{SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use socketioxide::socket::DisconnectReason;
use tokio::time::Instant;

use super::engine::{CONNECT_TIMEOUT, Engine};
use super::handshake::{Handshake, Joined};
use crate::admission::{Admission, Claim, Grant};
use crate::hub::Hub;
use crate::types::{Cause, CloseReason, Stats};

/// A turn that comes later after the handshake than this is not taken: the answer to CONNECT might meet the engine's
/// timeout, and the stock client would be connected and at once cut off.
const TURN_TIMEOUT: Duration = CONNECT_TIMEOUT.saturating_sub(Duration::from_millis(250));

/// The engine's timeout has closed the transport by then: a refusal that is returned later is never sent.
const CLOSED_BY: Duration = CONNECT_TIMEOUT.saturating_add(Duration::from_secs(1));

/// What a CONNECT packet is judged and counted with.
pub(super) struct Door {
    pub(super) admission: Arc<dyn Admission>,
    pub(super) hub: Arc<Hub>,
    pub(super) stats: Arc<Stats>,
}

/// Opens the default namespace, the only one there is.
pub(super) fn open_namespace(engine: &Engine, door: Arc<Door>) {
    let admit = move |socket: SocketRef, TryData(auth): TryData<serde_json::Value>| {
        let door = Arc::clone(&door);
        async move { door.admit(&socket, auth.ok().as_ref()).await }
    };
    // A subscriber joins before its CONNECT is answered, so that it hears whatever is published after the answer.
    let connected = async || {};
    engine.io.ns("/", connected.with(admit));
}

impl Door {
    async fn admit(&self, socket: &SocketRef, auth: Option<&serde_json::Value>) -> Result<(), ConnectError> {
        let Some(handshake) = socket.req_parts().extensions.get::<Arc<Handshake>>().cloned() else {
            return Err(ConnectError("invalid token"));
        };
        let claim = Claim { client: handshake.client, query_rooms: &handshake.rooms, auth };
        let grant = self.admission.connect(claim).map_err(|refusal| ConnectError(refusal.connect_error()))?;
        self.wait_for_turn(&grant, &handshake).await?;
        self.join(socket, &grant, &handshake);
        Ok(())
    }

    /// Waits until the user's bucket has room. The engine closes the transport of whoever waits too long for its first
    /// CONNECT; who left the namespace and comes again over the same transport waits for as long as it takes, since a
    /// refusal would keep the stock client away.
    async fn wait_for_turn(&self, grant: &Grant, handshake: &Handshake) -> Result<(), ConnectError> {
        let is_first = !handshake.was_let_in.load(Ordering::Relaxed);
        let deadline = handshake.opened + TURN_TIMEOUT;
        for user in &grant.users {
            while let Err(wait) = self.admission.turn(user) {
                let turn = Instant::now() + wait;
                if is_first && turn >= deadline {
                    self.stats.refusals(Cause::UserRate).inc();
                    let forwarded = handshake.client.forwarded.map(tracing::field::display);
                    tracing::warn!(
                        remoteIp = %handshake.client.peer,
                        forwardedIp = forwarded,
                        uniqueUserId = first_room(grant),
                        "rate limit block"
                    );
                    tokio::time::sleep_until(handshake.opened + CLOSED_BY).await;
                    return Err(ConnectError("rate limit block"));
                }
                tokio::time::sleep_until(turn).await;
            }
        }
        Ok(())
    }

    fn join(&self, socket: &SocketRef, grant: &Grant, handshake: &Arc<Handshake>) {
        handshake.was_let_in.store(true, Ordering::Relaxed);
        handshake.join(Joined { _membership: self.hub.join(&grant.rooms), _counted: self.stats.subscribers.enter() });
        socket.join(grant.rooms.iter().map(|room| room.as_str().to_owned()).collect::<Vec<_>>());
        let leaving = Arc::clone(handshake);
        let stats = Arc::clone(&self.stats);
        socket.on_disconnect(async move |reason: DisconnectReason| {
            leaving.leave();
            let reason = close_reason(reason);
            stats.closes(reason).inc();
            tracing::debug!(reason = reason.label(), remoteIp = %leaving.client.peer, "disconnected");
        });
        tracing::info!(
            remoteIp = %handshake.client.peer,
            forwardedIp = handshake.client.forwarded.map(tracing::field::display),
            uniqueUserId = first_room(grant),
            origin = handshake.origin.as_deref(),
            "connected"
        );
    }
}

fn first_room(grant: &Grant) -> Option<&str> {
    grant.rooms.first().map(crate::types::RoomName::as_str)
}

fn close_reason(reason: DisconnectReason) -> CloseReason {
    match reason {
        DisconnectReason::TransportClose | DisconnectReason::ClientNSDisconnect => CloseReason::ClientClosed,
        DisconnectReason::HeartbeatTimeout => CloseReason::PingTimeout,
        DisconnectReason::PacketParsingError | DisconnectReason::MultipleHttpPollingError => CloseReason::ProtocolError,
        DisconnectReason::ClosingServer | DisconnectReason::ServerNSDisconnect => CloseReason::Shutdown,
        DisconnectReason::TransportError => CloseReason::TransportError,
    }
}

/// The `message` of a CONNECT_ERROR packet.
#[derive(Debug)]
struct ConnectError(&'static str);

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
