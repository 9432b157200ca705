//! The producer port: axum-server with an acceptor that adds TLS, timeouts and the peer's address.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum_server::Handle;
use axum_server::accept::Accept;
use http::{Request, Response};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpStream;
use tower::Service;

use super::head::{HeadTimed, Phase};
use super::stream::Stream;
use super::{HEAD_BYTES_MAX, Port};
use crate::types::stats::GaugeGuard;
use crate::types::{IDLE_TIMEOUT, PeerAddr};

/// Serves `router` until the lifecycle stops and every request under way is answered.
///
/// Each request carries its [`PeerAddr`] as an extension.
///
/// # Errors
/// When the listener cannot be registered with the runtime.
pub async fn serve_publishers(listener: std::net::TcpListener, port: Port, router: Router) -> io::Result<()> {
    let handle = Handle::new();
    let stopping = port.lifecycle.stopping.clone();
    let mut server = axum_server::from_tcp(listener)?
        .handle(handle.clone())
        .acceptor(PublisherAcceptor { port: Arc::new(port) })
        .http1_only();
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX);
    let served = server.serve(router.into_make_service());
    tokio::pin!(served);
    tokio::select! {
        ended = served.as_mut() => ended,
        () = stopping.cancelled() => {
            handle.graceful_shutdown(None);
            served.await
        }
    }
}

#[derive(Clone)]
struct PublisherAcceptor {
    port: Arc<Port>,
}

type Accepted<S> = io::Result<(HeadTimed<Stream, GaugeGuard>, PublisherService<S>)>;

impl<S: Send + 'static> Accept<TcpStream, S> for PublisherAcceptor {
    type Stream = HeadTimed<Stream, GaugeGuard>;
    type Service = PublisherService<S>;
    type Future = Pin<Box<dyn Future<Output = Accepted<S>> + Send>>;

    fn accept(&self, socket: TcpStream, service: S) -> Self::Future {
        let port = Arc::clone(&self.port);
        Box::pin(async move {
            let guard = port.admit().ok_or(io::ErrorKind::ConnectionRefused)?;
            let peer = PeerAddr::new(socket.peer_addr()?);
            let stream = port.secure(socket).await?;
            let stream = HeadTimed::new(stream, port.lifecycle.closing.clone(), guard);
            let service = PublisherService { inner: service, peer, phase: stream.phase() };
            Ok((stream, service))
        })
    }
}

/// Tells the router who asks, and the stream when a head is complete.
#[derive(Clone)]
struct PublisherService<S> {
    inner: S,
    peer: PeerAddr,
    phase: Phase,
}

impl<S, I, O> Service<Request<I>> for PublisherService<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<I>) -> Self::Future {
        self.phase.answering();
        request.extensions_mut().insert(self.peer);
        let answer = self.inner.call(request);
        let phase = self.phase.clone();
        Box::pin(async move {
            let answer = answer.await;
            phase.awaiting();
            answer
        })
    }
}
