//! From polling to a websocket: the client probes, the request that waits is let go, and the websocket takes over. What
//! waits in the outbox at that moment goes over the websocket, so nothing is lost, doubled or overtaken.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::websocket::{Link, Websocket};
use super::{Session, Transport};
use crate::subscriber::wire::frame::{self, Decoder, Message};
use crate::subscriber::wire::packet::EnginePacket;

/// From the websocket's handshake to its upgrade packet; engine.io's `upgradeTimeout`.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// The session's end of a websocket that may take over: there is at most one.
pub(super) struct CandidateState {
    /// Whether the client probed it, after which it begins no more polls.
    pub(super) was_probed: bool,
    /// Dropped with the session, which ends the websocket.
    _session: oneshot::Sender<()>,
}

impl CandidateState {
    pub(super) fn new() -> (Self, Candidate) {
        let (session, gone) = oneshot::channel();
        (Self { was_probed: false, _session: session }, Candidate { gone })
    }
}

/// The websocket's end.
pub(in crate::subscriber) struct Candidate {
    gone: oneshot::Receiver<()>,
}

/// Serves a websocket that wants to take over a session: first as a candidate, then as the session's own.
pub(in crate::subscriber) async fn serve(session: Rc<Session>, mut link: Box<dyn Link>, candidate: Candidate) {
    let probed = async {
        tokio::select! {
            biased;
            _ = candidate.gone => false,
            probed = timeout(UPGRADE_TIMEOUT, probe(&session, &mut link)) => matches!(probed, Ok(Ok(true))),
        }
    };
    if probed.await && session.take_over(link) {
        return super::websocket::serve(session).await;
    }
    if let Transport::Polling(poll) = &mut session.state.borrow_mut().transport {
        poll.drop_candidate();
    }
}

/// Whether the client probed this websocket and then chose it.
async fn probe(session: &Rc<Session>, link: &mut Box<dyn Link>) -> io::Result<bool> {
    let mut decoder = Decoder::new(PROBE_BYTES_MAX);
    // One byte at a time: what stands behind the upgrade packet is left for the websocket that is then in use.
    let mut byte = [0];
    let mut was_probed = false;
    while link.read(&mut byte).await? > 0 {
        let text = match decoder.next(&mut byte.as_slice()) {
            Ok(Some(Message::Text(text))) => text,
            Ok(Some(Message::Ping(payload))) => {
                link.write_all(&frame::pong(&payload)).await?;
                link.flush().await?;
                continue;
            }
            Ok(Some(Message::Pong) | None) => continue,
            Ok(Some(Message::Binary(_) | Message::Close(_))) | Err(_) => return Ok(false),
        };
        match (EnginePacket::read(&text), was_probed) {
            (Ok(EnginePacket::Probe), false) => {
                was_probed = true;
                link.write_all(&frame::text(&["3probe"]).0).await?;
                link.flush().await?;
                session.note_probe();
            }
            (Ok(EnginePacket::Upgrade), true) => return Ok(true),
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// A probe and an upgrade are a few bytes.
const PROBE_BYTES_MAX: usize = 64;

impl Session {
    fn note_probe(&self) {
        if let Transport::Polling(poll) = &mut self.state.borrow_mut().transport {
            poll.note_probe();
        }
    }

    /// Puts the websocket in place of polling; false when the session is over.
    fn take_over(&self, link: Box<dyn Link>) -> bool {
        let Some(worker) = self.worker.upgrade() else { return false };
        let mut state = self.state.borrow_mut();
        let Transport::Polling(poll) = &mut state.transport else { return false };
        poll.release();
        state.transport = Transport::Websocket(Websocket::new(link, worker.config.payload_bytes_max));
        if !state.outbox.is_empty() {
            let now = Instant::now();
            state.stalled_since = Some(now);
            worker.set_timer(self, now + worker.config.write_timeout);
        }
        true
    }
}
