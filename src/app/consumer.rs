//! What the consumer port serves: subscribers, and beside them the demo page or, on a shared port, the producer's API.

use std::sync::Arc;

use axum::Router;
use http::{Request, Response};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tower::ServiceExt;

use crate::lifecycle::Lifecycle;
use crate::listen::RawStream;
use crate::producer::{self, Producer};
use crate::subscriber::{self, Link, Subscribers};
use crate::types::PeerAddr;

type Body = Either<subscriber::Body, Either<producer::Body, axum::body::Body>>;

/// The consumer port of one worker. Clones share it.
#[derive(Clone)]
pub(super) struct Consumer {
    pub(super) subscribers: Subscribers,
    pub(super) demo: Option<Router>,
    pub(super) lifecycle: Lifecycle,
    /// Set when both ports have the same number.
    pub(super) producer: Option<Arc<Producer>>,
}

impl Consumer {
    pub(super) async fn answer(&self, peer: PeerAddr, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        if let Some(demo) = self.demo.as_ref().filter(|_| path == "/demo" || path.starts_with("/demo/")) {
            return ask(demo.clone(), request).await.map(|body| Either::Right(Either::Right(body)));
        }
        if let Some(producer) = self.producer.as_ref().filter(|producer| producer.config.serves(path)) {
            let _under_way = self.lifecycle.request_under_way();
            return producer.answer(peer, request).await.map(|body| Either::Right(Either::Left(body)));
        }
        self.subscribers.answer(peer, request).await.map(Either::Left)
    }
}

/// A websocket's bytes, straight from the port.
pub(super) fn take_back(upgraded: Upgraded) -> Box<dyn Link> {
    match RawStream::take_back(upgraded) {
        Ok(stream) => Box::new(stream),
        Err(upgraded) => Box::new(TokioIo::new(upgraded)),
    }
}

async fn ask(router: Router, request: Request<Incoming>) -> Response<axum::body::Body> {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
