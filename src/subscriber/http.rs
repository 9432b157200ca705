//! The consumer port's HTTP: who may ask, what the engine is asked, and CORS on every answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ORIGIN, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::Service as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::compress::compressed;
use super::connect::{Door, open_namespace};
use super::cors;
use super::engine::Engine;
use super::engine_error::EngineError;
use super::handshake::{EngineRequest, Handshake, compact, has_token};
use crate::admission::{Admission, Refusal};
use crate::hub::Hub;
use crate::lifecycle::Lifecycle;
use crate::types::{Cause, PeerAddr, Stats, not_found_page};

/// What every answer of the consumer port is made of.
pub type Body = Full<Bytes>;

/// Where Socket.IO is served. As in engine.io, what follows the slash does not matter.
const ENGINE_PATH: &str = "/socket.io/";

/// A client's packets arrive within this, or their request is given up.
const POST_TIMEOUT: Duration = Duration::from_secs(30);

/// Once transports are closed the engine answers the polls of those it knows. What waits for longer is the poll of a
/// session that never connected, or packets that do not come; neither may hold up the drain.
const CLOSING_GRACE: Duration = Duration::from_secs(1);

/// The subscriber side of the gateway. Clones share it.
#[derive(Clone)]
pub struct Subscribers {
    admission: Arc<dyn Admission>,
    engine: Engine,
    stopping: CancellationToken,
    closing: CancellationToken,
    stats: Arc<Stats>,
}

impl Subscribers {
    /// Opens the engine to whom `admission` lets in; they join `hub`.
    pub fn new(
        engine: Engine,
        hub: Arc<Hub>,
        admission: Arc<dyn Admission>,
        lifecycle: &Lifecycle,
        stats: Arc<Stats>,
    ) -> Self {
        let door = Door { admission: Arc::clone(&admission), hub, stats: Arc::clone(&stats) };
        open_namespace(&engine, Arc::new(door));
        let (stopping, closing) = (lifecycle.stopping.clone(), lifecycle.closing.clone());
        Self { admission, engine, stopping, closing, stats }
    }

    /// Answers one request of the consumer port.
    pub async fn answer(&self, peer: PeerAddr, request: Request<Incoming>) -> Response<Body> {
        let keeps_alive = keeps_alive(&request);
        let mut response = self.judged(peer, request).await;
        if keeps_alive && response.status() != StatusCode::SWITCHING_PROTOCOLS {
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

    /// Closes every subscriber's transport and waits until they are closed. The stock client takes it as a lost
    /// connection, and comes back.
    pub async fn close(&self) {
        self.engine.io.close().await;
    }

    async fn engine_answer(&self, peer: PeerAddr, request: Request<Incoming>) -> Response<Body> {
        let asked = match EngineRequest::read(&request) {
            Ok(asked) => asked,
            Err(error) => {
                self.stats.refusals(Cause::BadRequest).inc();
                return engine_error(error);
            }
        };
        if asked.session.is_some() {
            let accepted = request.headers().get(ACCEPT_ENCODING).cloned();
            return compressed(self.forward(compact(request)).await, accepted).await;
        }
        let handshake = match self.open(peer, request.headers(), asked.rooms) {
            Ok(handshake) => handshake,
            Err(refusal) => return refused(refusal),
        };
        let mut request = compact(request);
        request.extensions_mut().insert(Arc::new(handshake));
        self.forward(request).await
    }

    fn open(&self, peer: PeerAddr, headers: &HeaderMap, rooms: Vec<String>) -> Result<Handshake, Refusal> {
        if self.stopping.is_cancelled() {
            self.stats.refusals(Cause::Draining).inc();
            return Err(Refusal::passing(Cause::Draining, Duration::from_secs(1)));
        }
        let client = self.admission.client(peer, headers);
        let seat = self.admission.open(client)?;
        let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).map(str::to_owned);
        Ok(Handshake {
            client,
            rooms,
            origin,
            opened: Instant::now(),
            was_let_in: false.into(),
            joined: None.into(),
            _seat: seat,
        })
    }

    async fn forward(&self, request: Request<Incoming>) -> Response<Body> {
        let is_post = request.method() == Method::POST;
        let given_up = async {
            tokio::select! {
                () = tokio::time::sleep(POST_TIMEOUT), if is_post => {}
                () = self.closing.cancelled() => tokio::time::sleep(CLOSING_GRACE).await,
            }
        };
        let answer = tokio::select! {
            biased;
            answer = self.engine.service.call(request) => answer,
            () = given_up => return engine_error(EngineError::BadRequest),
        };
        match answer {
            Ok(response) => with_numeric_code(response).await,
            Err(never) => match never {},
        }
    }
}

/// The engine writes its error codes as text and leaves some answers empty; Node's server has numbers and a body.
async fn with_numeric_code<B>(response: Response<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes, Error = Infallible>,
{
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await;
    let mut body = body.to_bytes();
    if parts.status == StatusCode::BAD_REQUEST || parts.status == StatusCode::INTERNAL_SERVER_ERROR {
        let error =
            if body.starts_with(br#"{"code":"1""#) { EngineError::SessionUnknown } else { EngineError::BadRequest };
        parts.status = error.status();
        parts.headers.remove(http::header::CONTENT_LENGTH);
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        body = error.json().into();
    }
    Response::from_parts(parts, Full::new(body))
}

fn keeps_alive<B>(request: &Request<B>) -> bool {
    request.version() == Version::HTTP_11 && !has_token(request.headers(), &CONNECTION, "close")
}

/// [`IDLE_TIMEOUT`](crate::types::IDLE_TIMEOUT), as Node's server says its own.
fn say_keep_alive(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
    headers.insert(HeaderName::from_static("keep-alive"), HeaderValue::from_static("timeout=75"));
}

fn engine_error(error: EngineError) -> Response<Body> {
    let mut response = Response::new(Full::new(error.json().into()));
    *response.status_mut() = error.status();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refused(refusal: Refusal) -> Response<Body> {
    let reason = refusal.status().canonical_reason().unwrap_or_default();
    let json = serde_json::json!({ "message": reason }).to_string();
    let mut response = Response::new(Full::new(json.into()));
    *response.status_mut() = refusal.status();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(secs) = refusal.retry_after_secs() {
        response.headers_mut().insert(RETRY_AFTER, secs.into());
    }
    response
}

fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    cors::preflight(response.headers_mut(), asked);
    response
}

fn not_found(method: &Method, path: &str) -> Response<Body> {
    let mut response = Response::new(Full::new(not_found_page(method.as_str(), path).into()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
