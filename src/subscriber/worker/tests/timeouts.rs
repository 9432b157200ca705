//! Who says nothing, takes nothing or never comes in is closed in time, and nobody before.

use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, duplex};
use tokio::sync::oneshot;

use super::super::Command;
use super::*;
use crate::types::CloseReason;

async fn seconds(node: &Node, client: &mut Client, seconds: u64) {
    for _ in 0..seconds * 2 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        client.pump(node).await;
    }
}

#[test]
fn a_ping_is_sent_when_the_interval_is_over_and_not_before() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        for polls in [false, true] {
            let mut client = Client::open(&node, polls, 1_000).await;
            client.connect(&node).await;
            seconds(&node, &mut client, 22).await;
            assert_eq!(client.pings, 0, "none right after open, none before nine tenths of 25 s");
            seconds(&node, &mut client, 4).await;
            assert_eq!(client.pings, 1);
            seconds(&node, &mut client, 260).await;
            assert!((10..=12).contains(&client.pings), "{} pings in 286 s", client.pings);
            assert!(node.is_joined(client.id));
        }
    });
}

#[test]
fn who_answers_no_ping_is_closed_when_the_timeout_is_over() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        for polls in [false, true] {
            let mut client = Client::open(&node, polls, 1_000).await;
            client.pongs = false;
            client.connect(&node).await;
            seconds(&node, &mut client, 42).await;
            assert!(node.is_joined(client.id), "20 s after a ping that was sent after 22.5 s at the earliest");
            seconds(&node, &mut client, 4).await;
            assert!(client.is_over && !node.is_joined(client.id));
            assert_eq!(node.stats.closes(CloseReason::PingTimeout).get(), 1 + u64::from(polls));
        }
        node.assert_empty().await;
    });
}

/// As the protocols' suites have it, but for the two ticks that ping and timeout may come late.
#[test]
fn the_silent_are_closed_half_a_second_after_they_came_if_the_settings_say_so() {
    in_virtual_time(async {
        let settings =
            Config { ping_interval: Duration::from_millis(300), ping_timeout: Duration::from_millis(200), ..config() };
        let node = Node::start(1, &settings);
        for attempt in 0..100 {
            let client = Client::open(&node, attempt % 2 == 0, 1_000).await;
            tokio::time::sleep(Duration::from_millis(465)).await;
            assert!(
                node.session(client.id).is_some(),
                "200 ms after a ping that was sent after 270 ms at the earliest"
            );
            tokio::time::sleep(Duration::from_millis(500 + 2 * 50 - 465)).await;
            assert!(node.session(client.id).is_none());
        }
        node.assert_empty().await;
    });
}

#[test]
fn who_answers_pings_but_takes_nothing_is_closed_by_the_write_timeout() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut client = Client::websocket(&node, 0, &["a"], 256).await;
        client.connect(&node).await;
        client.reads = false;
        assert_eq!(node.publish("a", 1, 1_000), Ok(1));
        for second in 0..29 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            client.send(&node, "3").await;
            assert!(node.is_joined(client.id), "closed after {second} s");
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        node.assert_closed_for(CloseReason::WriteTimeout);
        node.assert_empty().await;
    });
}

#[test]
fn who_takes_a_little_now_and_then_is_not_closed_by_the_write_timeout() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut client = Client::websocket(&node, 0, &["a"], 64).await;
        client.connect(&node).await;
        client.reads = false;
        assert_eq!(node.publish("a", 1, 4_000), Ok(1));
        for _ in 0..120 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            client.send(&node, "3").await;
            client.sip(8);
        }
        assert!(node.is_joined(client.id));
        client.reads = true;
        client.catch_up(&node).await;
        assert_eq!(client.numbers(), [1]);
    });
}

#[test]
fn a_websocket_that_takes_over_what_it_never_takes_is_closed_by_the_write_timeout() {
    in_virtual_time(async {
        let node = Node::start(1, &Config { write_timeout: Duration::from_secs(5), ..config() });
        let mut client = Client::polling(&node, 0, &["a"]).await;
        client.connect(&node).await;
        client.catch_up(&node).await;
        client.open_candidate(&node, 64);
        client.probe().await;
        settle().await;
        client.pump(&node).await;
        settle().await;
        // No poll waits any more, so the event does, for the websocket.
        client.pump(&node).await;
        assert_eq!(node.publish("a", 1, 1_000), Ok(1));
        settle().await;
        client.pump(&node).await;
        client.reads = false;
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert!(client.is_on_websocket() && node.is_joined(client.id));
        tokio::time::sleep(Duration::from_secs(2)).await;
        node.assert_closed_for(CloseReason::WriteTimeout);
        node.assert_empty().await;
    });
}

#[test]
fn who_does_not_connect_within_ten_seconds_is_closed() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        for polls in [false, true] {
            let mut client = Client::open(&node, polls, 1_000).await;
            seconds(&node, &mut client, 9).await;
            assert!(!client.is_over && node.session(client.id).is_some());
            seconds(&node, &mut client, 2).await;
            assert!(client.is_over && node.session(client.id).is_none());
        }
        assert_eq!(node.closed(), 0, "a subscriber that never was is not counted");
        node.assert_empty().await;
    });
}

#[test]
fn a_closed_websocket_that_takes_nothing_is_let_go() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut client = Client::websocket(&node, 0, &["a"], 64).await;
        client.connect(&node).await;
        client.reads = false;
        assert_eq!(node.publish("a", 1, 1_000), Ok(1));
        settle().await;
        client.send(&node, "1").await;
        settle().await;
        node.assert_closed_for(CloseReason::ClientClosed);
        // The pipe stays open and full; its task, its place and its timer go all the same.
        node.assert_empty().await;
        drop(client);
    });
}

#[test]
fn the_space_of_a_crowd_is_given_back_though_some_stay() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut clients = Vec::new();
        for _ in 0..200 {
            clients.push(Client::polling(&node, 0, &["a"]).await);
        }
        for client in clients.drain(10..) {
            node.ask(0, Command::End(client.id, CloseReason::ProtocolError));
        }
        settle().await;
        let (space, free) = node.places(0);
        assert!(space <= 40 && free == 0, "space for {space}, {free} of it free");
        node.ask(0, Command::End(clients.remove(0).id, CloseReason::ProtocolError));
        settle().await;
        assert_eq!(node.places(0).1, 1, "those behind it stay");
        for _ in 0..2 {
            clients.push(Client::polling(&node, 0, &["a"]).await);
        }
        assert!(clients.iter().all(|client| node.session(client.id).is_some()), "each has a place of its own");
        assert_eq!(node.places(0).1, 0);
        drop(clients);
        node.assert_empty().await;
    });
}

#[test]
fn a_closed_session_is_owed_nothing_though_somebody_holds_it() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        for polls in [false, true] {
            let mut client = Client::open(&node, polls, 64).await;
            client.connect(&node).await;
            client.reads = false;
            for number in 0..2 {
                assert_eq!(node.publish("a", number, 1_000), Ok(1));
            }
            settle().await;
            let held = node.session(client.id).unwrap();
            assert!(node.stats.queues.bytes() > 500);
            node.ask(0, Command::End(client.id, CloseReason::ProtocolError));
            tokio::time::sleep(Duration::from_secs(3)).await;
            assert_eq!(node.stats.queues.bytes(), 0, "polls: {polls}");
            drop(held);
        }
        node.assert_empty().await;
    });
}

#[test]
fn who_waits_for_a_turn_is_let_go_when_its_session_closes() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        node.make_wait(5_000);
        for polls in [false, true] {
            let mut client = Client::open(&node, polls, 1_000).await;
            client.send(&node, "40").await;
            settle().await;
            let session = Rc::downgrade(&node.session(client.id).unwrap());
            assert!(session.upgrade().is_some_and(|session| session.state.borrow().waiter.is_some()));
            node.ask(0, Command::End(client.id, CloseReason::ProtocolError));
            settle().await;
            assert!(session.upgrade().is_none(), "polls: {polls}");
        }
    });
}

#[test]
fn who_comes_when_all_are_closed_is_closed_at_once() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut client = Client::websocket(&node, 0, &["a"], 1_000).await;
        client.connect(&node).await;
        let mut polls = Client::polling(&node, 0, &["a"]).await;
        polls.connect(&node).await;
        // Their handshakes were answered before.
        let (handshake, upgraded) = (node.handshake(&[]), node.handshake(&[]));
        node.close();
        client.catch_up(&node).await;
        assert!(client.is_over);
        assert_eq!(node.stats.sessions.get(), 2, "places are taken for both");

        let (reply, open) = oneshot::channel();
        node.ask(0, Command::Open(handshake, reply));
        assert!(open.await.is_err());
        let [(mut opened, opening), (mut changed, changing)] = [duplex(1_000), duplex(1_000)];
        node.ask(0, Command::OpenWebsocket(upgraded, Box::new(opening)));
        node.ask(0, Command::Upgrade(polls.id, Box::new(changing)));
        for websocket in [&mut opened, &mut changed] {
            let read = tokio::time::timeout(Duration::from_millis(1), websocket.read_u8()).await.expect("at once");
            assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof, "without a word");
        }
        node.assert_empty().await;
    });
}
