//! The admin listener: health, readiness, version and metrics, on a thread of its own, so that it answers while the
//! workers are busy and costs them nothing.

mod access;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{self, AddExtension};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_server::Handle;
use axum_server::accept::Accept;
use hyper_util::rt::TokioTimer;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::Layer;

use crate::lifecycle::{Phase, Readiness};
use crate::ops::{Metrics, metrics};
use crate::types::Secret;
use crate::types::stats::{Gauge, GaugeGuard};
use access::Access;

/// How long a request head may take, and how long a connection may idle before it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest request head: a token and a scraper's headers, many times over.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Connections at once: a few scrapers and probes. One more is closed, so that the listener cannot eat the file
/// descriptors of the subscribers.
const CONNECTIONS_MAX: u64 = 64;

/// How long the end waits for answers that are under way; all of them are short.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// What the admin listener shows, and to whom.
#[derive(Clone, Debug)]
pub struct Admin {
    /// `ADMIN_TOKEN`.
    pub token: Option<Secret>,
    /// The phase that `/readyz` tells.
    pub readiness: Readiness,
    /// The numbers that `/metrics` tells.
    pub metrics: Metrics,
}

/// Serves until `shutdown`, on a runtime of its own. It blocks the calling thread.
///
/// # Errors
/// When the runtime cannot be built or the listener cannot be used.
pub fn run(listener: TcpListener, state: Admin, shutdown: CancellationToken) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(listener, state, shutdown.cancelled_owned()))
}

/// Serves until `shutdown` is ready.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(listener: TcpListener, state: Admin, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let handle = Handle::new();
    // http1_only after acceptor, which forgets it.
    let mut server = axum_server::from_tcp(listener)?.acceptor(Capped::default()).http1_only().handle(handle.clone());
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX);
    let serving = server.serve(router(state).into_make_service_with_connect_info::<SocketAddr>());
    tokio::pin!(serving);
    tokio::select! {
        result = &mut serving => return result,
        () = shutdown => handle.graceful_shutdown(Some(SHUTDOWN_TIMEOUT)),
    }
    serving.await
}

/// The paths.
pub fn router(state: Admin) -> Router {
    let access = Access::new(state.token.as_ref());
    Router::new()
        .route("/livez", get(live))
        .route("/health", get(live))
        .route("/readyz", get(ready))
        .route("/version", get(version))
        .route("/metrics", get(render_metrics))
        .layer(middleware::from_fn_with_state(access, access::check))
        .with_state(state)
}

async fn live() -> &'static str {
    "OK"
}

async fn ready(State(admin): State<Admin>) -> Response {
    match admin.readiness.phase() {
        Phase::Ready => "OK".into_response(),
        phase @ (Phase::Starting | Phase::Draining) => (StatusCode::SERVICE_UNAVAILABLE, phase.label()).into_response(),
    }
}

async fn version() -> Response {
    let mut version = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
    if let (Some(commit), Some(object)) = (option_env!("ROOMCAST_COMMIT"), version.as_object_mut()) {
        object.insert("commit".to_owned(), commit.into());
    }
    ([(CONTENT_TYPE, "application/json")], version.to_string()).into_response()
}

async fn render_metrics(State(admin): State<Admin>) -> Response {
    match admin.metrics.render() {
        Ok(body) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Accepts at most [`CONNECTIONS_MAX`] connections. The service of a connection lives as long as the connection, so it
/// carries the guard that counts it.
#[derive(Clone, Debug, Default)]
struct Capped(Arc<Gauge>);

impl<S> Accept<TcpStream, S> for Capped {
    type Stream = TcpStream;
    type Service = AddExtension<S, Arc<GaugeGuard>>;
    type Future = std::future::Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        std::future::ready(match self.0.try_enter(CONNECTIONS_MAX) {
            Some(guard) => stream.set_nodelay(true).map(|()| (stream, Extension(Arc::new(guard)).layer(service))),
            None => Err(io::Error::other("too many admin connections")),
        })
    }
}

#[cfg(test)]
mod tests;
