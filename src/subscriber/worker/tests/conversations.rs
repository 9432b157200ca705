//! A client that talks to an application, and one that gives up what it asked for.

use bytes::Bytes;

use super::super::Command;
use super::*;
use crate::subscriber::application::{Answers, Application, Event};
use crate::subscriber::config::QueuePolicy;
use crate::types::CloseReason;

/// Says every event back.
struct Parrot;

impl Application for Parrot {
    fn listens_to(&self, _: &str, _: &str) -> bool {
        true
    }

    fn hear(&self, event: &Event<'_>, answers: &mut Answers<'_>) {
        answers.emit(event.name, event.arguments, event.attachments);
    }
}

fn node(config: &Config) -> Node {
    let parrot: std::sync::Arc<dyn Application> = std::sync::Arc::new(Parrot);
    Node::with_application(1, config, 64 << 20, &parrot)
}

async fn post(node: &Node, client: &Client, payload: &str) {
    let (reply, _) = tokio::sync::oneshot::channel();
    node.ask(0, Command::Post(client.id, Bytes::copy_from_slice(payload.as_bytes()), reply));
    settle().await;
}

async fn poll(node: &Node, client: &Client) -> String {
    let (reply, answer) = tokio::sync::oneshot::channel();
    node.ask(0, Command::Poll(client.id, reply));
    answer.await.unwrap().unwrap()
}

/// Nothing drops answers, so under either policy their number ends at the bound.
#[test]
fn who_does_not_take_the_answers_that_it_asks_for_is_closed() {
    in_virtual_time(async {
        for queue_policy in [QueuePolicy::Disconnect, QueuePolicy::DropOldest] {
            let config = Config { queue_policy, ..config() };
            let node = node(&config);
            let mut client = Client::websocket(&node, 0, &["a"], 64).await;
            client.connect(&node).await;
            client.reads = false;
            let mut sent = 0;
            while node.is_joined(client.id) {
                client.send(&node, &format!(r#"42["a",{{"n":{sent},"x":"{}"}}]"#, "x".repeat(80))).await;
                settle().await;
                sent += 1;
                assert!(sent < 200, "more than twice the queue");
            }
            node.assert_closed_for(CloseReason::SlowReader);
            assert!(sent > 45, "the queue holds {sent} only");
            node.assert_empty().await;
        }
    });
}

/// The same holds for what the engine itself answers.
#[test]
fn who_does_not_take_the_engine_s_answers_is_closed() {
    in_virtual_time(async {
        for queue_policy in [QueuePolicy::Disconnect, QueuePolicy::DropOldest] {
            let node = Node::start(1, &Config { queue_policy, ..config() });
            let mut client = Client::websocket(&node, 0, &["a"], 64).await;
            client.connect(&node).await;
            client.reads = false;
            assert_eq!(node.publish("a", 1, 4_000), Ok(1));
            for _ in 0..200 {
                client.send(&node, &format!("40/{}", "x".repeat(100))).await;
                settle().await;
            }
            node.assert_closed_for(CloseReason::SlowReader);
            node.assert_empty().await;
        }
    });
}

#[test]
fn published_events_keep_their_place_among_answers() {
    in_virtual_time(async {
        let node = node(&config());
        let client = Client::polling(&node, 0, &["a"]).await;
        post(&node, &client, "40").await;
        assert!(poll(&node, &client).await.starts_with("40{"));
        assert_eq!(node.publish("a", 1, 0), Ok(1));
        settle().await;
        post(&node, &client, "452-[\"b\",1.0]\u{1e}bAQ==").await;
        assert_eq!(node.publish("a", 2, 0), Ok(1));
        settle().await;
        post(&node, &client, "b").await;
        assert_eq!(node.publish("a", 3, 0), Ok(1));
        settle().await;
        let event = |number: u8| format!(r#"42["a",{{"n":{number},"x":""}}]"#);
        let expected = [&event(1), &event(2), r#"452-["b",1.0]"#, "bAQ==", "b", &event(3)].join("\u{1e}");
        assert_eq!(poll(&node, &client).await, expected);
    });
}

#[test]
fn who_left_is_not_heard() {
    in_virtual_time(async {
        let node = node(&config());
        let client = Client::polling(&node, 0, &["a"]).await;
        post(&node, &client, "40").await;
        post(&node, &client, "42[\"b\"]\u{1e}41\u{1e}42[\"c\"]\u{1e}40\u{1e}42[\"d\"]").await;
        let payload = poll(&node, &client).await;
        let packets: Vec<_> = payload.split('\u{1e}').collect();
        let [first, r#"42["b"]"#, second, r#"42["d"]"#] = packets[..] else { panic!("{packets:?}") };
        assert!(first.starts_with("40{") && second.starts_with("40{"), "{packets:?}");
    });
}

#[test]
fn a_poll_that_is_given_up_ends_a_session_that_polls_and_no_other() {
    in_virtual_time(async {
        for polls in [true, false] {
            let node = Node::start(1, &config());
            let mut client = Client::open(&node, polls, 1_000).await;
            client.connect(&node).await;
            client.catch_up(&node).await;
            node.ask(0, Command::Abandon(client.id));
            client.catch_up(&node).await;
            assert_eq!(node.is_joined(client.id), !polls);
            if polls {
                node.assert_closed_for(CloseReason::TransportError);
            }
        }
    });
}

/// Amid an upgrade the websocket may have taken over before word of it comes.
#[test]
fn a_poll_that_is_given_up_with_its_packets_ends_a_session_on_either_transport() {
    in_virtual_time(async {
        for upgrades in [false, true] {
            let node = Node::start(1, &config());
            let mut client = Client::polling(&node, 0, &["a"]).await;
            client.connect(&node).await;
            client.catch_up(&node).await;
            if upgrades {
                client.open_candidate(&node, 1_000);
                client.probe().await;
                client.catch_up(&node).await;
            }
            assert_eq!(client.is_on_websocket(), upgrades);
            node.ask(0, Command::End(client.id, CloseReason::TransportError));
            client.catch_up(&node).await;
            assert!(client.is_over && !node.is_joined(client.id));
            node.assert_closed_for(CloseReason::TransportError);
        }
    });
}
