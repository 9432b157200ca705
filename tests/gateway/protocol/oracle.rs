//! A server of socketioxide's, set up as the gateway is, to compare answers with.

#![allow(clippy::disallowed_methods, reason = "a test's server ends with its runtime")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use serde_json::value::RawValue;
use socketioxide::SocketIo;
use socketioxide::extract::{SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use tokio::net::TcpListener;

use super::script::{PAYLOAD_BYTES_MAX, TOKEN};

/// The server.
pub struct Oracle {
    pub addr: SocketAddr,
    io: SocketIo,
}

impl Oracle {
    pub async fn start() -> Self {
        let (service, io) = SocketIo::builder()
            .ping_interval(Duration::from_secs(25))
            .ping_timeout(Duration::from_secs(20))
            .max_payload(PAYLOAD_BYTES_MAX as u64)
            .ws_max_message_size(PAYLOAD_BYTES_MAX)
            .ws_max_frame_size(PAYLOAD_BYTES_MAX)
            .connect_timeout(Duration::from_secs(10))
            .build_with_inner_svc(Elsewhere);
        let connected = async || {};
        io.ns("/", connected.with(admit));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service.clone()).with_upgrades());
            }
        });
        Self { addr, io }
    }

    /// Sends the event `room` with `payload` to the members of the room.
    pub async fn publish(&self, room: &str, payload: &str) {
        let payload: &RawValue = serde_json::from_str(payload).unwrap();
        self.io.to(room.to_owned()).emit(room, payload).await.unwrap();
    }
}

/// The token is right, and the socket joins the rooms of its query.
async fn admit(socket: SocketRef, TryData(auth): TryData<Value>) -> Result<(), Refused> {
    if auth.ok().is_none_or(|auth| auth["token"] != TOKEN) {
        return Err(Refused);
    }
    let query = socket.req_parts().uri.query().unwrap_or_default();
    let pairs: Vec<(_, _)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let rooms = pairs.into_iter().filter(|(name, _)| name == "uniqueUserId");
    socket.join(rooms.map(|(_, room)| room).collect::<Vec<_>>());
    Ok(())
}

#[derive(Debug)]
struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("invalid token")
    }
}

/// What is asked for paths that are not the engine's: nothing.
#[derive(Clone, Copy)]
struct Elsewhere;

impl Service<Request<Incoming>> for Elsewhere {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn call(&self, _: Request<Incoming>) -> Self::Future {
        std::future::ready(Ok(Response::default()))
    }
}
