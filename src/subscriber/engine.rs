//! The Socket.IO engine: socketioxide, set up as vrchats' server is, and the hub's fan-out over it.

use std::convert::Infallible;
use std::future::Ready;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use socketioxide::adapter::LocalAdapter;
use socketioxide::{BroadcastError, SocketIo, SocketIoBuilder};

use super::Config;
use crate::hub::Fanout;
use crate::types::Publication;

/// From the Engine.IO handshake to a CONNECT that was let in. It also ends the wait for a user's turn: whoever is not
/// connected by then is closed without a word, and the stock client comes back with back-off.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes a websocket reads at once; a subscriber sends little, and the buffer is kept for as long as it is connected.
const READ_BUFFER_BYTES: usize = 256;

/// Packets that may wait for one subscriber: a burst, or what comes between two polls. An event's bytes are shared by all
/// who wait for it, so a full queue costs the subscriber itself 168 bytes a packet, 672 KiB.
const QUEUE_PACKETS_MAX: usize = 4096;

pub(super) type Service = socketioxide::service::SocketIoService<Elsewhere, LocalAdapter>;

/// The engine before anybody is admitted to it.
#[derive(Clone)]
pub struct Engine {
    pub(super) service: Service,
    pub(super) io: SocketIo,
}

impl Engine {
    /// An engine without namespaces: nobody can connect yet.
    pub fn new(config: &Config) -> Self {
        let (service, io) = SocketIoBuilder::new()
            .ping_interval(config.ping_interval)
            .ping_timeout(config.ping_timeout)
            .max_payload(config.payload_bytes_max as u64)
            .ws_max_message_size(config.payload_bytes_max)
            .ws_max_frame_size(config.payload_bytes_max)
            .ws_read_buffer_size(READ_BUFFER_BYTES)
            .max_buffer_size(QUEUE_PACKETS_MAX)
            .connect_timeout(CONNECT_TIMEOUT)
            .build_with_inner_svc(Elsewhere);
        Self { service, io }
    }

    /// What the hub delivers through.
    pub fn fanout(&self) -> Arc<dyn Fanout> {
        Arc::new(RoomFanout(self.io.clone()))
    }
}

/// What the engine would ask for paths that are not its own; it is never given one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elsewhere;

impl hyper::service::Service<Request<Incoming>> for Elsewhere {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn call(&self, _: Request<Incoming>) -> Self::Future {
        std::future::ready(Ok(Response::default()))
    }
}

struct RoomFanout(SocketIo);

impl Fanout for RoomFanout {
    fn emit(&self, publication: &Publication) -> usize {
        // The namespace is gone once the engine is closed, and nobody listens any more.
        let Some(namespace) = self.0.of("/") else { return 0 };
        let room = publication.room.as_str().to_owned();
        let emitted = namespace.to(room).emit(publication.event.as_str(), publication.payload.json());
        // The local adapter queues while it is polled first; it never waits.
        match emitted.now_or_never() {
            Some(Ok(())) | None => 0,
            Some(Err(BroadcastError::Socket(errors))) => {
                tracing::warn!(
                    uniqueUserId = publication.room.as_str(),
                    undelivered = errors.len(),
                    "an event is lost to subscribers whose queue is full or closed"
                );
                errors.len()
            }
            Some(Err(error)) => {
                tracing::error!(%error, "cannot encode an event");
                0
            }
        }
    }
}

#[cfg(test)]
mod tests;
