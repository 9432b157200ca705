//! The oracle: a server of socketioxide's, as it comes, with the least around it that publishes and fans out.

#![expect(clippy::disallowed_methods, reason = "its tasks end with its process")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Router, body};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::{Map, Value};
use socketioxide::SocketIo;
use socketioxide::extract::SocketRef;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::certificate;

/// Serves until it is killed, on one thread. With a folder, the ports speak TLS with the certificate there.
///
/// # Errors
/// When a port is taken or the certificate cannot be read.
pub fn serve(producer: SocketAddr, consumer: SocketAddr, folder: Option<&Path>) -> anyhow::Result<()> {
    let tls = folder.map(certificate::server).transpose()?.map(|config| TlsAcceptor::from(Arc::new(config)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (subscribe, io) = SocketIo::builder().build_with_inner_svc(Elsewhere);
        io.ns("/", join);
        let publish = Router::new().route("/publish", post(publish)).with_state(io);
        let (producer, consumer) = (TcpListener::bind(producer).await?, TcpListener::bind(consumer).await?);
        tokio::spawn(accept(producer, tls.clone(), TowerToHyperService::new(publish)));
        accept(consumer, tls, subscribe).await
    })
}

/// Accepts connections and gives each a task.
async fn accept<S, B>(listener: TcpListener, tls: Option<TlsAcceptor>, service: S) -> anyhow::Result<()>
where
    S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: body::HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(connection(socket, tls.clone(), service.clone()));
    }
}

/// Serves a connection to its end; how it ends is for the client to tell.
async fn connection<S, B>(socket: TcpStream, tls: Option<TlsAcceptor>, service: S)
where
    S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: body::HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let _ = socket.set_nodelay(true);
    let http = http1::Builder::new();
    let Some(tls) = tls else {
        let _ = http.serve_connection(TokioIo::new(socket), service).with_upgrades().await;
        return;
    };
    if let Ok(stream) = tls.accept(socket).await {
        let _ = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    }
}

/// The socket joins the room of its query.
async fn join(socket: SocketRef) {
    let query = socket.req_parts().uri.query().unwrap_or_default();
    let room = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "uniqueUserId");
    if let Some((_, room)) = room {
        socket.join(room.into_owned());
    }
}

async fn publish(State(io): State<SocketIo>, body: Bytes) -> StatusCode {
    let Ok(mut event) = serde_json::from_slice::<Map<String, Value>>(&body) else { return StatusCode::BAD_REQUEST };
    let Some(Value::String(room)) = event.remove("target_id") else { return StatusCode::BAD_REQUEST };
    // An error says that somebody's buffer was full: it misses the event, and the others have it.
    let _ = io.to(room.clone()).emit(room, &event).await;
    StatusCode::OK
}

/// What is asked for paths that are not the engine's: nothing.
#[derive(Clone, Copy)]
struct Elsewhere;

impl Service<http::Request<Incoming>> for Elsewhere {
    type Response = http::Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn call(&self, _: http::Request<Incoming>) -> Self::Future {
        std::future::ready(Ok(http::Response::default()))
    }
}
