//! The consumer port's HTTP: who may ask, what the engine is asked, and CORS on every answer.

mod answer;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::Config;
use super::application::Application;
use super::compress::compressed;
use super::cors;
use super::engine_error::EngineError;
use super::handshake::{EngineRequest, Handshake, subprotocol};
use super::session::polling::NOOP;
use super::session::websocket::Link;
use super::session_id::SessionId;
use super::worker::{Command, Door, Worker};
use crate::admission::{Admission, Refusal};
use crate::hub::Hub;
use crate::lifecycle::Lifecycle;
use crate::types::{Cause, CloseReason, PeerAddr, Stats, is_framed_plainly};
use answer::{abandoned, engine_error, keeps_alive, not_found, preflight, refused, say_keep_alive, text, too_large};

/// What every answer of the consumer port is made of.
pub type Body = Full<Bytes>;

/// Where Socket.IO is served. As in engine.io, what follows the slash does not matter.
const ENGINE_PATH: &str = "/socket.io/";

/// A client's packets arrive within this, or their request is given up.
const POST_TIMEOUT: Duration = Duration::from_secs(30);

/// The subscriber side of the gateway, as one worker sees it. Clones share it.
#[derive(Clone)]
pub struct Subscribers {
    admission: Arc<dyn Admission>,
    /// Every worker, by its index; a session is asked for at the one that owns it.
    workers: Arc<[mpsc::UnboundedSender<Command>]>,
    /// The worker that serves this connection, and owns the sessions that it opens.
    here: usize,
    payload_bytes_max: usize,
    take_back: TakeBack,
    lifecycle: Lifecycle,
    stats: Arc<Stats>,
}

/// How a connection is had back from hyper when a websocket was agreed on.
pub type TakeBack = fn(Upgraded) -> Box<dyn Link>;

/// A worker's part of the subscriber side, before it runs.
pub struct SubscriberWorker {
    index: usize,
    commands: mpsc::UnboundedReceiver<Command>,
    config: Config,
    door: Door,
    lifecycle: Lifecycle,
}

impl SubscriberWorker {
    /// Serves the worker's sessions on the current thread, until the process ends.
    pub async fn run(self) {
        let Ok(index) = u16::try_from(self.index) else { return };
        Worker::new(index, self.config, self.door, self.lifecycle).run(self.commands).await;
    }
}

impl Subscribers {
    /// The subscriber side for each of `workers`. It lets in whom `admission` lets in; they join `hub`, and `application` hears
    /// them.
    pub fn new(
        workers: usize,
        config: &Config,
        hub: &Arc<Hub>,
        admission: &Arc<dyn Admission>,
        application: &Arc<dyn Application>,
        lifecycle: &Lifecycle,
        stats: &Arc<Stats>,
    ) -> Vec<(Self, SubscriberWorker)> {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| mpsc::unbounded_channel()).unzip();
        let senders: Arc<[_]> = senders.into();
        stats.queues.open(workers);
        let worker = |(index, commands)| {
            let subscribers = Self {
                admission: Arc::clone(admission),
                workers: Arc::clone(&senders),
                here: index,
                payload_bytes_max: config.payload_bytes_max,
                take_back: |upgraded| Box::new(TokioIo::new(upgraded)),
                lifecycle: lifecycle.clone(),
                stats: Arc::clone(stats),
            };
            let door = Door {
                application: Arc::clone(application),
                admission: Arc::clone(admission),
                hub: Arc::clone(hub),
                stats: Arc::clone(stats),
            };
            let worker =
                SubscriberWorker { index, commands, config: config.clone(), door, lifecycle: lifecycle.clone() };
            (subscribers, worker)
        };
        receivers.into_iter().enumerate().map(worker).collect()
    }

    /// The same, which takes connections back from hyper in this way: whoever accepted them may know a shorter one.
    pub fn taking_back(self, take_back: TakeBack) -> Self {
        Self { take_back, ..self }
    }

    /// Answers one request of the consumer port.
    pub async fn answer(&self, peer: PeerAddr, request: Request<Incoming>) -> Response<Body> {
        if !is_framed_plainly(request.headers()) {
            self.stats.refusals(Cause::BadRequest).inc();
            return abandoned(EngineError::BadRequest);
        }
        let keeps_alive = keeps_alive(&request);
        let mut response = self.judged(peer, request).await;
        if keeps_alive && !response.headers().contains_key(CONNECTION) {
            say_keep_alive(response.headers_mut());
        }
        response
    }

    async fn judged(&self, peer: PeerAddr, request: Request<Incoming>) -> Response<Body> {
        if !request.uri().path().starts_with(ENGINE_PATH) {
            self.stats.refusals(Cause::NotFound).inc();
            return not_found(request.method(), request.uri().path());
        }
        let origin = match self.admission.browser(peer, request.headers()) {
            Ok(origin) => origin,
            Err(_) => {
                let mut refused = engine_error(EngineError::Forbidden);
                cors::decorate(refused.headers_mut(), None);
                return refused;
            }
        };
        let mut response = if request.method() == Method::OPTIONS {
            preflight(request.headers())
        } else {
            self.engine_answer(peer, request).await
        };
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            cors::decorate(response.headers_mut(), origin);
        }
        response
    }

    /// Closes every subscriber's transport. The stock client takes it as a lost connection, and comes back.
    pub async fn close(&self) {
        for worker in self.workers.iter() {
            let (done, closed) = oneshot::channel();
            if worker.send(Command::Close(done)).is_ok() {
                let _ = closed.await;
            }
        }
    }

    async fn engine_answer(&self, peer: PeerAddr, request: Request<Incoming>) -> Response<Body> {
        // An error is answered before packets are read, and after them no other request is.
        let brings_packets = request.method() == Method::POST && !request.body().is_end_stream();
        let worded = if brings_packets { abandoned } else { engine_error };
        let asked = match EngineRequest::read(&request) {
            Ok(asked) => asked,
            Err(error) => {
                self.stats.refusals(Cause::BadRequest).inc();
                return worded(error);
            }
        };
        let answer = match asked.session {
            Some(session) => self.continue_session(&session, asked.websocket, request).await,
            None => match self.open(peer, request.headers(), asked.rooms) {
                Ok(handshake) => self.open_session(handshake, asked.websocket, request).await,
                Err(refusal) => return refused(refusal),
            },
        };
        answer.unwrap_or_else(worded)
    }

    fn open(&self, peer: PeerAddr, headers: &HeaderMap, rooms: Vec<String>) -> Result<Handshake, Refusal> {
        if self.lifecycle.stopping.is_cancelled() {
            return Err(self.draining());
        }
        let client = self.admission.client(peer, headers);
        let seat = self.admission.open(client)?;
        let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).map(str::to_owned);
        let rooms = rooms.into_boxed_slice();
        Ok(Handshake { client, rooms, origin, opened: Instant::now(), was_let_in: false.into(), _seat: seat })
    }

    fn draining(&self) -> Refusal {
        self.stats.refusals(Cause::Draining).inc();
        Refusal::passing(Cause::Draining, Duration::from_secs(1))
    }

    async fn open_session(
        &self,
        handshake: Handshake,
        websocket: bool,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, EngineError> {
        let worker = self.workers.get(self.here).ok_or(EngineError::BadRequest)?;
        if websocket {
            let worker = worker.clone();
            return self.upgrade(request, move |link| drop(worker.send(Command::OpenWebsocket(handshake, link))));
        }
        let (reply, open) = oneshot::channel();
        worker.send(Command::Open(handshake, reply)).map_err(|_| EngineError::BadRequest)?;
        Ok(match open.await {
            Ok(open) => text(open, "text/plain; charset=UTF-8"),
            Err(_) => refused(self.draining()),
        })
    }

    async fn continue_session(
        &self,
        session: &str,
        websocket: bool,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, EngineError> {
        let id = SessionId::read(session).ok_or(EngineError::SessionUnknown)?;
        let worker = self.workers.get(usize::from(id.worker)).ok_or(EngineError::SessionUnknown)?;
        if websocket {
            let (reply, known) = oneshot::channel();
            worker.send(Command::Know(id, reply)).map_err(|_| EngineError::BadRequest)?;
            known.await.map_err(|_| EngineError::BadRequest)??;
            let worker = worker.clone();
            return self.upgrade(request, move |link| drop(worker.send(Command::Upgrade(id, link))));
        }
        if request.method() != Method::GET {
            return self.post(worker, id, request).await;
        }
        let (reply, answer) = oneshot::channel();
        let accepted = request.headers().get(ACCEPT_ENCODING).cloned();
        worker.send(Command::Poll(id, reply)).map_err(|_| EngineError::BadRequest)?;
        let mut waiting = Waiting { worker, id, answer, is_answered: false };
        let packets = (&mut waiting.answer).await;
        waiting.is_answered = true;
        let packets = packets.map_err(|_| EngineError::BadRequest)??;
        Ok(compressed(text(packets, "text/plain; charset=UTF-8"), accepted).await)
    }

    /// Hands a request's packets to its session, which is asked before any of them is read.
    async fn post(
        &self,
        worker: &mpsc::UnboundedSender<Command>,
        id: SessionId,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, EngineError> {
        let (reply, begun) = oneshot::channel();
        worker.send(Command::BeginPost(id, reply)).map_err(|_| EngineError::BadRequest)?;
        let mut posting = Posting { worker, id, is_over: false };
        let gone = begun.await.map_err(|_| EngineError::BadRequest)??;
        // Binary packets come in base64; version 4 knows no payload that is binary itself.
        if request.headers().get(CONTENT_TYPE).is_some_and(|media_type| media_type == "application/octet-stream") {
            let _ = worker.send(Command::End(id, CloseReason::ProtocolError));
            return Err(EngineError::BadRequest);
        }
        let body = tokio::select! {
            body = collected(request.into_body(), self.payload_bytes_max) => body,
            () = tokio::time::sleep(POST_TIMEOUT) => return Ok(abandoned(EngineError::BadRequest)),
            () = self.lifecycle.closing.cancelled() => return Ok(abandoned(EngineError::BadRequest)),
            _ = gone => return Ok(abandoned(EngineError::BadRequest)),
        };
        let body = match body {
            Ok(Some(body)) => body,
            Ok(None) => {
                let _ = worker.send(Command::End(id, CloseReason::ProtocolError));
                return Ok(too_large());
            }
            Err(_) => return Ok(abandoned(EngineError::BadRequest)),
        };
        let (reply, answer) = oneshot::channel();
        worker.send(Command::Post(id, body, reply)).map_err(|_| EngineError::BadRequest)?;
        posting.is_over = true;
        let answer = answer.await.unwrap_or(Err(EngineError::BadRequest));
        // The request is read to its end, so an error costs no connection.
        Ok(answer.map_or_else(engine_error, |ok| text(ok, "text/html")))
    }

    /// Answers a websocket's handshake, and hands its bytes to `take` once HTTP is done with them.
    fn upgrade(
        &self,
        mut request: Request<Incoming>,
        take: impl FnOnce(Box<dyn Link>) + Send + 'static,
    ) -> Result<Response<Body>, EngineError> {
        let key = request.headers().get(SEC_WEBSOCKET_KEY).ok_or(EngineError::BadRequest)?;
        let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).map_err(|_| EngineError::BadRequest)?;
        let subprotocol = subprotocol(request.headers())?.and_then(|name| HeaderValue::from_str(name).ok());
        let upgrade = hyper::upgrade::on(&mut request);
        let take_back = self.take_back;
        self.lifecycle.spawn_connection(async move {
            if let Ok(upgraded) = upgrade.await {
                take(take_back(upgraded));
            }
        });
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        if let Some(name) = subprotocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, name);
        }
        Ok(response)
    }
}

/// A poll that waits. hyper drops it with the connection when the client gives it up.
struct Waiting<'a> {
    worker: &'a mpsc::UnboundedSender<Command>,
    id: SessionId,
    answer: oneshot::Receiver<Result<String, EngineError>>,
    is_answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        // From here on it is answered nothing; what it was answered before, nobody else is.
        self.answer.close();
        let command = match self.answer.try_recv() {
            Ok(Ok(packets)) if packets != NOOP => Command::End(self.id, CloseReason::TransportError),
            _ => Command::Abandon(self.id),
        };
        let _ = self.worker.send(command);
    }
}

/// A session's request that brings packets. If it ends without them so does the session, as with Node's server.
struct Posting<'a> {
    worker: &'a mpsc::UnboundedSender<Command>,
    id: SessionId,
    is_over: bool,
}

impl Drop for Posting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let _ = self.worker.send(Command::AbandonPost(self.id));
        }
    }
}

/// A body of at most `bytes_max` bytes; none if there are more. It is copied together: kept as it came, a body in chunks of
/// one byte would take forty times its length.
async fn collected(mut body: Incoming, bytes_max: usize) -> hyper::Result<Option<Bytes>> {
    let mut collected = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if data.len() > bytes_max - collected.len() {
            return Ok(None);
        }
        collected.extend_from_slice(&data);
    }
    Ok(Some(collected.into()))
}

#[cfg(test)]
mod tests;
