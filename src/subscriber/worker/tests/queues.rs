//! What a client is owed has a bound, and the policy says what comes of it.

use super::*;
use crate::subscriber::config::QueuePolicy;
use crate::types::CloseReason;

#[test]
fn who_is_owed_more_than_its_queue_holds_is_closed() {
    in_virtual_time(async {
        for polls in [false, true] {
            let node = Node::start(1, &config());
            let mut client = Client::open(&node, polls, 64).await;
            client.connect(&node).await;
            client.reads = false;
            for number in 1..=8 {
                assert_eq!(node.publish("a", number, 900), Ok(1), "8 x 930 bytes are within 8,192");
            }
            settle().await;
            assert!(node.is_joined(client.id));
            for number in 9..=10 {
                assert_eq!(node.publish("a", number, 900), Ok(1));
            }
            settle().await;
            node.assert_closed_for(CloseReason::SlowReader);
            assert_eq!(node.publish("a", 11, 900), Ok(0));
            node.assert_empty().await;
        }
    });
}

#[test]
fn who_is_owed_more_hears_the_latest_and_how_many_were_dropped() {
    in_virtual_time(async {
        let node = Node::start(1, &Config { queue_policy: QueuePolicy::DropOldest, ..config() });
        let mut client = Client::websocket(&node, 0, &["a"], 256).await;
        client.connect(&node).await;
        client.reads = false;
        for number in 1..=100 {
            assert_eq!(node.publish("a", number, 900), Ok(1));
            settle().await;
        }
        client.reads = true;
        client.catch_up(&node).await;
        let [Heard::Event(1), Heard::Gap(dropped), latest @ ..] = client.heard[0].as_slice() else {
            panic!("{:?}", client.heard)
        };
        assert_eq!(*dropped, node.stats.undelivered.get());
        assert!(latest.iter().copied().eq((dropped + 2..=100).map(Heard::Event)), "{dropped} dropped: {latest:?}");
        assert!(latest.len() >= 7, "{} of 8 that the queue holds", latest.len());
        assert!(node.is_joined(client.id));
    });
}

#[test]
fn word_of_what_was_dropped_comes_after_the_answer_to_connect() {
    in_virtual_time(async {
        let node = Node::start(1, &Config { queue_policy: QueuePolicy::DropOldest, ..config() });
        let mut client = Client::polling(&node, 0, &["a"]).await;
        client.send(&node, "40").await;
        settle().await;
        for number in 1..=20 {
            assert_eq!(node.publish("a", number, 900), Ok(1));
        }
        client.catch_up(&node).await;
        let dropped = node.stats.undelivered.get();
        assert!(dropped > 0);
        assert_eq!(client.heard[0][0], Heard::Gap(dropped));
        assert!(client.heard[0][1..].iter().copied().eq((dropped + 1..=20).map(Heard::Event)), "{:?}", client.heard);
    });
}

#[test]
fn small_events_count_more_than_their_bytes() {
    in_virtual_time(async {
        for policy in [QueuePolicy::Disconnect, QueuePolicy::DropOldest] {
            let node = Node::start(1, &Config { queue_policy: policy, ..config() });
            let mut client = Client::polling(&node, 0, &["a"]).await;
            client.connect(&node).await;
            client.catch_up(&node).await;
            client.reads = false;
            // An answer to the poll that waits, and then 100 events of 24 bytes: 2,400 are owed, and 8,800 are counted.
            for number in 100..=200 {
                assert!(node.publish("a", number, 0).is_ok());
                settle().await;
            }
            let is_closed = policy == QueuePolicy::Disconnect;
            assert_eq!(node.is_joined(client.id), !is_closed, "{policy:?}");
            assert_eq!(node.stats.closes(CloseReason::SlowReader).get(), u64::from(is_closed));
            assert_eq!(node.stats.undelivered.get() > 0, !is_closed);
            assert!(node.queued() <= 8 << 10);
        }
    });
}

/// Clients that read nothing, on workers in turn, and what they are owed of how many events of 1,000 bytes.
async fn stalled(node: &Node, events: &[u64]) -> Vec<Client> {
    let mut clients = Vec::new();
    for (worker, (room, events)) in (0_u16..).zip(["a", "b", "c", "d"].into_iter().zip(events)) {
        let mut client = Client::websocket(node, worker % 2, &[room], 64).await;
        client.connect(node).await;
        client.reads = false;
        for number in 0..*events {
            assert_eq!(node.publish(room, number, 1_000), Ok(1));
        }
        settle().await;
        clients.push(client);
    }
    clients
}

#[test]
fn when_the_node_is_owed_too_much_the_worst_are_closed_wherever_they_are() {
    in_virtual_time(async {
        let node = Node::start(2, &Config { node_queue_bytes_max: 16_000, ..config() });
        let clients = stalled(&node, &[6, 3, 2, 4]).await;
        assert_eq!(node.closed(), 0, "15 events of some 1,030 bytes are less than 16,000");
        assert_eq!(node.stats.queues.bytes(), node.queued());
        // The worker of the first is not the one that finds that it is too much.
        assert_eq!(node.publish("b", 9, 1_000), Ok(1));
        settle().await;
        let joined = || clients.iter().map(|client| node.is_joined(client.id)).collect::<Vec<_>>();
        assert_eq!(joined(), [false, true, true, true]);
        node.assert_closed_for_each(&[(CloseReason::QueuesFull, 1)]);
        assert!(node.stats.queues.bytes() < 11_000, "its queue is gone at once: {}", node.stats.queues.bytes());
        for number in 10..15 {
            assert_eq!(node.publish("c", number, 1_000), Ok(1));
            settle().await;
        }
        assert_eq!(joined(), [false, true, true, true], "4 and 7 and 4 events");
        assert_eq!(node.publish("d", 15, 1_000), Ok(1));
        settle().await;
        assert_eq!(joined(), [false, true, false, true]);
        node.assert_closed_for_each(&[(CloseReason::QueuesFull, 2)]);
        drop(clients);
        node.assert_empty().await;
    });
}

#[test]
fn a_worker_whose_subscribers_took_everything_keeps_no_other_from_closing_its_own() {
    in_virtual_time(async {
        let node = Node::start(2, &Config { node_queue_bytes_max: 9_000, ..config() });
        let mut clients = stalled(&node, &[2, 6]).await;
        clients[1].reads = true;
        clients[1].catch_up(&node).await;
        assert_eq!(node.stats.queues.worst_worker(), Some(1), "it had the longest queue, and has none now");
        let mut more = Vec::new();
        for _ in 0..3 {
            let mut client = Client::websocket(&node, 0, &["e"], 64).await;
            client.connect(&node).await;
            client.reads = false;
            more.push(client);
        }
        for number in 1..=2 {
            assert_eq!(node.publish("e", number, 1_000), Ok(3));
        }
        settle().await;
        assert_eq!(node.closed(), 0, "8 events");
        assert_eq!(node.publish("a", 3, 1_000), Ok(1));
        settle().await;
        assert!(!node.is_joined(clients[0].id), "3 events, where the others are owed 2");
        node.assert_closed_for_each(&[(CloseReason::QueuesFull, 1)]);
        assert!(!clients[1].is_over);
    });
}

#[test]
fn one_too_large_event_closes_no_more_than_it_must() {
    in_virtual_time(async {
        let node = Node::start(2, &Config { node_queue_bytes_max: 9_000, ..config() });
        let mut clients = stalled(&node, &[1, 1, 1, 1]).await;
        let mut polls = Client::polling(&node, 0, &["a"]).await;
        polls.connect(&node).await;
        polls.catch_up(&node).await;
        assert_eq!(node.publish("a", 2, 6_000), Ok(2));
        settle().await;
        node.assert_closed_for_each(&[(CloseReason::QueuesFull, 1)]);
        clients.iter_mut().skip(1).for_each(|client| client.reads = true);
        for client in &mut clients {
            client.catch_up(&node).await;
        }
        polls.catch_up(&node).await;
        assert_eq!(polls.numbers(), [2], "who was answered at once is owed nothing");
        assert!(clients.iter().skip(1).all(|client| client.numbers() == [0] && !client.is_over));
        assert_eq!(node.stats.queues.bytes(), 0);
        node.close();
        node.assert_empty().await;
    });
}

#[test]
fn a_publish_that_an_inbox_has_no_room_for_reaches_nobody() {
    in_virtual_time(async {
        let node = Node::with_inboxes(2, &config(), 2_000);
        let mut both = Client::websocket(&node, 0, &["a", "b"], 10_000).await;
        let mut other = Client::websocket(&node, 1, &["b"], 10_000).await;
        both.connect(&node).await;
        other.connect(&node).await;
        assert_eq!(node.publish("a", 1, 1_500), Ok(1));
        // The other worker's inbox has room, but one that is full is enough.
        assert!(node.publish("b", 2, 500).is_err());
        assert_eq!(node.publish("c", 3, 5_000), Ok(0), "nobody is in there");
        both.catch_up(&node).await;
        other.catch_up(&node).await;
        assert_eq!((both.numbers(), other.numbers()), (vec![1], vec![]));
        assert_eq!(node.publish("b", 4, 500), Ok(2));
        both.catch_up(&node).await;
        other.catch_up(&node).await;
        assert_eq!((both.numbers(), other.numbers()), (vec![1, 4], vec![4]));
    });
}
