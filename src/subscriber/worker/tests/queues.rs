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
