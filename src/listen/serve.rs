//! Serving a port: an accept loop that waits for nothing but the next connection, and HTTP on each.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body::Body;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use super::head::HeadTimed;
use super::port::Audience;
use super::{HEAD_BYTES_MAX, Port};
use crate::types::stats::GaugeGuard;
use crate::types::{IDLE_TIMEOUT, PeerAddr};

/// First and longest wait after `accept` failed. Running out of files does not pass in microseconds.
const BACK_OFF_MIN: Duration = Duration::from_millis(5);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// Accepts until the lifecycle stops, and serves every connection on the current runtime. Those of subscribers go on until
/// the lifecycle closes, those of publishers until it stops; the request under way is answered before.
///
/// `answer` is asked for every request, with the peer of its connection.
///
/// # Errors
/// When the listener cannot be registered with the runtime.
pub async fn serve_port<A, F, B>(listener: std::net::TcpListener, port: Port, answer: A) -> io::Result<()>
where
    A: Fn(PeerAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::from_std(listener)?;
    let port = Arc::new(port);
    let mut back_off = BACK_OFF_MIN;
    loop {
        let accepted = tokio::select! {
            biased;
            () = port.lifecycle.stopping.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                back_off = BACK_OFF_MIN;
                admit(&port, socket, peer, answer.clone());
            }
            Err(error) => {
                port.stats.accept_errors.inc();
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(back_off).await;
                back_off = (back_off * 2).min(BACK_OFF_MAX);
            }
        }
    }
}

fn admit<A, F, B>(port: &Arc<Port>, socket: TcpStream, peer: SocketAddr, answer: A)
where
    A: Fn(PeerAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Some(guard) = port.admit() else { return };
    let task = serve(Arc::clone(port), socket, PeerAddr::new(peer), guard, answer);
    match port.audience {
        Audience::Publishers => port.lifecycle.spawn_publisher(task),
        Audience::Subscribers => port.lifecycle.spawn_connection(task),
    }
}

async fn serve<A, F, B>(port: Arc<Port>, socket: TcpStream, peer: PeerAddr, guard: GaugeGuard, answer: A)
where
    A: Fn(PeerAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Ok(stream) = port.secure(socket).await else { return };
    let stream = HeadTimed::new(stream, port.lifecycle.closing.clone(), guard);
    let phase = stream.phase();
    let service = service_fn(move |request| {
        phase.answering();
        let phase = phase.clone();
        let answer = answer(peer, request);
        async move {
            let response = answer.await;
            match response.status() {
                StatusCode::SWITCHING_PROTOCOLS => phase.upgraded(),
                _ => phase.awaiting(),
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let end = match port.audience {
        Audience::Publishers => &port.lifecycle.stopping,
        Audience::Subscribers => &port.lifecycle.closing,
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = end.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, remoteIp = %peer, "connection ended");
    }
}
