//! A gateway of a few lines that multicasts what is published, or does what a gateway must not.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::cli::client::testing::Gateway;

/// What becomes of a publish.
pub(super) enum Fate {
    /// It is delivered and answered 200.
    Deliver,
    /// It is answered 200 and forgotten.
    Lose,
    /// It is delivered twice.
    Duplicate,
    /// It is delivered after the next one.
    Delay,
    /// It is answered 503 and not delivered.
    Refuse,
}

/// A gateway on two free ports; it ends when it is dropped.
pub(super) struct Relay {
    pub(super) producer: SocketAddr,
    pub(super) consumer: SocketAddr,
    /// How many subscribers were there at each connect to the producer port.
    pub(super) members_at_connect: Arc<Mutex<Vec<usize>>>,
    _tasks: JoinSet<()>,
}

#[derive(Clone)]
struct State {
    rooms: Arc<Mutex<HashMap<String, Vec<UnboundedSender<String>>>>>,
    delayed: Arc<Mutex<Option<(String, String)>>>,
    published: Arc<AtomicU64>,
    members_at_connect: Arc<Mutex<Vec<usize>>>,
    fate: fn(u64) -> Fate,
}

impl Relay {
    /// Starts a relay that treats the n-th publish, from 0, as `fate` says.
    pub(super) async fn start(fate: fn(u64) -> Fate) -> Self {
        let members_at_connect = Arc::<Mutex<Vec<usize>>>::default();
        let state = State {
            rooms: Arc::default(),
            delayed: Arc::default(),
            published: Arc::default(),
            members_at_connect: Arc::clone(&members_at_connect),
            fate,
        };
        let consumer = Gateway::bind().await;
        let producer = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addrs = (producer.local_addr().unwrap(), consumer.addr());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_consumers(consumer, state.clone()));
        tasks.spawn(serve_producers(producer, state));
        Self { producer: addrs.0, consumer: addrs.1, members_at_connect, _tasks: tasks }
    }
}

async fn serve_consumers(gateway: Gateway, state: State) {
    let mut tasks = JoinSet::new();
    loop {
        let tcp = gateway.accept().await;
        let state = state.clone();
        tasks.spawn(async move {
            // A connection that only asks whether the port is open sends no handshake.
            let Some((mut peer, path)) = Gateway::open_on(tcp).await else { return };
            let (_, room) = path.rsplit_once("uniqueUserId=").unwrap();
            peer.receive().await;
            let (sender, mut receiver) = unbounded_channel();
            state.rooms.lock().unwrap().entry(room.to_owned()).or_default().push(sender);
            peer.send("40{}").await;
            while let Some(event) = receiver.recv().await {
                peer.send(&event).await;
            }
        });
    }
}

async fn serve_producers(listener: TcpListener, state: State) {
    let mut tasks = JoinSet::new();
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        let members = state.rooms.lock().unwrap().values().map(Vec::len).sum();
        state.members_at_connect.lock().unwrap().push(members);
        let state = state.clone();
        let service = service_fn(move |request| publish(state.clone(), request));
        tasks.spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tcp), service).await;
        });
    }
}

async fn publish(state: State, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    assert_eq!(request.uri(), "/publish");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut data: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let target = data.as_object_mut().unwrap().remove("target_id").unwrap();
    let room = target.as_str().unwrap().to_owned();
    let event = format!("42[{target},{data}]");
    let send = |room: &str, event: &str| {
        for member in &state.rooms.lock().unwrap()[room] {
            member.send(event.to_owned()).unwrap();
        }
    };
    let mut answer = Response::new(Full::default());
    match (state.fate)(state.published.fetch_add(1, Ordering::Relaxed)) {
        Fate::Deliver => send(&room, &event),
        Fate::Lose => {}
        Fate::Duplicate => [(); 2].into_iter().for_each(|()| send(&room, &event)),
        Fate::Delay => {
            *state.delayed.lock().unwrap() = Some((room, event));
            return Ok(answer);
        }
        Fate::Refuse => *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
    }
    if let Some((room, event)) = state.delayed.lock().unwrap().take() {
        send(&room, &event);
    }
    Ok(answer)
}
