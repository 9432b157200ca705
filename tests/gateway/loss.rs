//! Loss and order under load: clients that stay, come back, change their transport or stop reading, while several publishers
//! number what they publish, each for itself in each room.
//!
//! Nobody hears an event twice or out of order; whoever is connected hears every event of which the publish began after its
//! CONNECT was answered; whoever stops reading is closed, and the reason is counted. `ROOMCAST_LOSS_STOCK` and
//! `ROOMCAST_LOSS_RAW` set how many stock and raw clients there are, `ROOMCAST_LOSS_LIVES` how often some of them come back;
//! 50, 5000 and 20 make the long run, for which a process needs 16,000 open files.

#![allow(clippy::disallowed_methods, reason = "a test's clients end with its runtime")]

mod ledger;
mod load;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::harness::node::StockClients;
use crate::harness::polling::Polling;
use crate::harness::token;
use crate::harness::websocket::Websocket;
use ledger::Ledger;
use load::{Load, ROOMS, STALLED_ROOM, room_name};

/// What a client that comes back or changes its transport hears before it does so.
const EVENTS_BETWEEN: usize = 20;

/// What a stalled reader's system takes for it.
const STALLED_BUFFER_BYTES: u32 = 4096;

/// For everything: the long run on a busy machine.
const DEADLINE: Duration = Duration::from_secs(300);

/// Held by a client until it has done what it does besides listening.
type Settling = mpsc::Sender<()>;

fn setting(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Listens until the last event.
async fn stay(load: Arc<Load>, room: usize, settling: Settling) {
    let (mut socket, mut ledger) = connect(&load, room).await;
    drop(settling);
    while ledger.hear(&load, &socket.packet().await.expect("an event, not a close")) {}
    ledger.is_complete(&load);
}

async fn connect(load: &Load, room: usize) -> (Websocket, Ledger) {
    let query = format!("&uniqueUserId={}", room_name(room));
    let mut socket = Websocket::open(load.gateway.consumer(), &query).await.unwrap();
    assert!(socket.packet().await.unwrap().starts_with("0{"));
    socket.send("40").await;
    assert!(socket.packet().await.unwrap().starts_with("40{"));
    (socket, Ledger::new(load, room))
}

async fn hear_some(load: &Load, socket: &mut Websocket, ledger: &mut Ledger) {
    for _ in 0..EVENTS_BETWEEN {
        ledger.hear(load, &socket.packet().await.expect("an event, not a close"));
    }
}

/// Leaves and comes back: by a close frame, without a word, and over the same websocket.
async fn come_back(load: Arc<Load>, room: usize, lives: usize, settling: Settling) {
    let (mut socket, mut ledger) = connect(&load, room).await;
    for life in 0..lives {
        hear_some(&load, &mut socket, &mut ledger).await;
        match life % 3 {
            0 => {
                socket.send(tokio_tungstenite::tungstenite::Message::Close(None)).await;
                while let Some(packet) = socket.packet().await {
                    ledger.hear(&load, &packet);
                }
                (socket, ledger) = connect(&load, room).await;
            }
            1 => (socket, ledger) = connect(&load, room).await,
            _ => {
                socket.send("41").await;
                socket.send("40").await;
                loop {
                    let packet = socket.packet().await.expect("an answer to CONNECT");
                    if packet.starts_with("40{") {
                        break;
                    }
                    ledger.hear(&load, &packet);
                }
                ledger = Ledger::new(&load, room);
            }
        }
    }
    drop(settling);
    while ledger.hear(&load, &socket.packet().await.expect("an event, not a close")) {}
    ledger.is_complete(&load);
}

/// A session over polling, with the packets that came with the answer to CONNECT.
async fn connect_by_polling(load: &Load, room: usize) -> (Polling, Ledger, bool) {
    let query = format!("&uniqueUserId={}", room_name(room));
    let (mut session, _) = Polling::open(load.gateway.consumer(), &query).await.ok().unwrap();
    assert_eq!(session.post("40").await.body, "ok");
    let answer = session.poll().await;
    let (connected, events) = answer.body.split_once('\u{1e}').unwrap_or((&answer.body, ""));
    assert!(connected.starts_with("40{"), "{answer:?}");
    let mut ledger = Ledger::new(load, room);
    let goes_on = events.is_empty() || hear_payload(load, &mut session, &mut ledger, events).await;
    (session, ledger, goes_on)
}

/// Notes the events of a payload; false after the last.
async fn hear_payload(load: &Load, session: &mut Polling, ledger: &mut Ledger, payload: &str) -> bool {
    let mut goes_on = true;
    for packet in payload.split('\u{1e}') {
        match packet {
            "2" => assert_eq!(session.post("3").await.body, "ok"),
            "6" => {}
            event => goes_on &= ledger.hear(load, event),
        }
    }
    goes_on
}

async fn poll(load: &Load, session: &mut Polling, ledger: &mut Ledger) -> bool {
    let answer = session.poll().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    hear_payload(load, session, ledger, &answer.body).await
}

/// Listens over polling until the last event.
async fn stay_on_polling(load: Arc<Load>, room: usize, settling: Settling) {
    let (mut session, mut ledger, mut goes_on) = connect_by_polling(&load, room).await;
    drop(settling);
    while goes_on {
        goes_on = poll(&load, &mut session, &mut ledger).await;
    }
    ledger.is_complete(&load);
    assert_eq!(session.post("1").await.body, "ok");
}

/// Changes from polling to a websocket, while a poll waits.
async fn change_transport(load: Arc<Load>, room: usize, settling: Settling) {
    let (mut session, mut ledger, _) = connect_by_polling(&load, room).await;
    while ledger.heard() < EVENTS_BETWEEN {
        poll(&load, &mut session, &mut ledger).await;
    }
    let query = format!("&sid={}", session.sid);
    let probing = async {
        let mut socket = Websocket::open(load.gateway.consumer(), &query).await.unwrap();
        socket.send("2probe").await;
        assert_eq!(socket.next().await.as_deref(), Some("3probe"));
        socket
    };
    let (mut socket, _) = tokio::join!(probing, poll(&load, &mut session, &mut ledger));
    socket.send("5").await;
    hear_some(&load, &mut socket, &mut ledger).await;
    drop(settling);
    while ledger.hear(&load, &socket.packet().await.expect("an event, not a close")) {}
    ledger.is_complete(&load);
}

/// Connects, and reads nothing more until it is closed. What its system took until then is whole and in order.
async fn stall(load: Arc<Load>, room: usize, settling: Settling) {
    let dialled = TcpSocket::new_v4().unwrap();
    dialled.set_recv_buffer_size(STALLED_BUFFER_BYTES).unwrap();
    let stream = dialled.connect(load.gateway.consumer()).await.unwrap();
    let query = format!("&uniqueUserId={}&uniqueUserId={STALLED_ROOM}", room_name(room));
    let mut socket = Websocket::open_over(stream, load.gateway.consumer(), &query).await.unwrap();
    assert!(socket.packet().await.unwrap().starts_with("0{"));
    socket.send("40").await;
    assert!(socket.packet().await.unwrap().starts_with("40{"));
    let mut ledger = Ledger::new(&load, room);
    load.stalls();
    load.stalled_are_closed().await;
    drop(settling);
    while let Some(packet) = socket.packet().await {
        assert!(ledger.hear(&load, &packet), "it was closed before the last event");
    }
}

/// Stock clients that change their transport under load, and hear everything.
async fn stock_clients(load: Arc<Load>, count: usize, settling: Settling) {
    let rooms: Vec<_> = (0..count).map(|index| room_name(index % ROOMS)).collect();
    let mut clients = StockClients::start(&json!({
        "url": load.gateway.consumer_url(), "rooms": rooms, "token": token(),
        "transports": ["polling", "websocket"], "collect": true,
    }));
    let mut ledgers = Vec::new();
    for index in 0..count {
        clients.connected(index).await;
        ledgers.push(Ledger::new(&load, index % ROOMS));
    }
    for index in 0..count {
        clients.line(|line| line["client"] == index && line["upgraded"] == "websocket").await;
    }
    drop(settling);
    load.finished().await;
    for (index, mut ledger) in ledgers.into_iter().enumerate() {
        let line = clients.line(|line| line["client"] == index && line.get("numbers").is_some()).await;
        let numbers: Vec<[u64; 2]> = serde_json::from_value(line["numbers"].clone()).unwrap();
        for [publisher, number] in numbers {
            ledger.note(publisher, number);
        }
        ledger.is_complete(&load);
    }
    assert!(clients.unread().iter().all(|line| line.get("disconnected").is_none()), "{:?}", clients.unread());
}

#[tokio::test]
async fn nobody_misses_an_event_or_hears_it_twice_or_out_of_order_and_who_stalls_is_closed() {
    let (stock, raw) = (setting("ROOMCAST_LOSS_STOCK", 10), setting("ROOMCAST_LOSS_RAW", 500));
    let lives = setting("ROOMCAST_LOSS_LIVES", 6);
    let load = Arc::new(Load::start(raw).await);
    let (settling, mut settled) = mpsc::channel::<()>(1);
    let mut clients = JoinSet::new();
    clients.spawn(stock_clients(Arc::clone(&load), stock, settling.clone()));
    for index in 0..raw {
        let (load, room, settling) = (Arc::clone(&load), index % ROOMS, settling.clone());
        match index / ROOMS % 10 {
            0..=3 => clients.spawn(stay(load, room, settling)),
            4 | 5 => clients.spawn(come_back(load, room, lives, settling)),
            6 | 7 => clients.spawn(change_transport(load, room, settling)),
            8 => clients.spawn(stay_on_polling(load, room, settling)),
            _ => clients.spawn(stall(load, room, settling)),
        };
    }
    drop(settling);
    let all_done = async {
        let publishing = load.publish_until(async { assert!(settled.recv().await.is_none()) });
        let listening = async {
            while let Some(client) = clients.join_next().await {
                client.expect("a client that found nothing wrong");
            }
        };
        tokio::join!(publishing, listening);
    };
    tokio::time::timeout(DEADLINE, all_done).await.expect("an end in time");
    load.is_accounted_for().await;
}
