//! What the consumer port serves: subscribers, and beside them the demo page or, on a shared port, the producer's API.

use axum::Router;
use http::{Request, Response};
use http_body_util::Either;
use hyper::body::Incoming;
use tower::ServiceExt;

use crate::lifecycle::Lifecycle;
use crate::producer;
use crate::subscriber::{self, Subscribers};
use crate::types::PeerAddr;

type Body = Either<subscriber::Body, axum::body::Body>;

/// The consumer port of one worker. Clones share it.
#[derive(Clone)]
pub(super) struct Consumer {
    pub(super) subscribers: Subscribers,
    pub(super) demo: Option<Router>,
    pub(super) lifecycle: Lifecycle,
    /// Set when both ports have the same number: the API, and which paths are its.
    pub(super) producer: Option<(Router, producer::Config)>,
}

impl Consumer {
    pub(super) async fn answer(&self, peer: PeerAddr, request: Request<Incoming>) -> Response<Body> {
        match self.router_beside(request.uri().path()) {
            Some(router) => {
                let _under_way = self.lifecycle.request_under_way();
                ask(router.clone(), peer, request).await
            }
            None => self.subscribers.answer(peer, request).await.map(Either::Left),
        }
    }

    fn router_beside(&self, path: &str) -> Option<&Router> {
        let demo = || self.demo.as_ref().filter(|_| path == "/demo" || path.starts_with("/demo/"));
        let producer = || self.producer.as_ref().filter(|(_, config)| config.serves(path)).map(|(router, _)| router);
        demo().or_else(producer)
    }
}

async fn ask(router: Router, peer: PeerAddr, mut request: Request<Incoming>) -> Response<Body> {
    request.extensions_mut().insert(peer);
    match router.oneshot(request).await {
        Ok(response) => response.map(Either::Right),
        Err(never) => match never {},
    }
}
