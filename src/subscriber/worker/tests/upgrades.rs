//! From polling to a websocket, with events at every step.

use std::time::Duration;

use super::*;

/// Publishes the next event, which has one receiver.
fn publish(node: &Node, number: &mut u64) {
    *number += 1;
    assert_eq!(node.publish("a", *number, 100), Ok(1), "event {number}");
}

#[test]
fn events_at_every_step_of_an_upgrade_are_heard_once_and_in_order() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        // Which of the steps are followed by an event, and whether everybody goes on before the next.
        for pattern in 0..1_u32 << 12 {
            let mut client = Client::polling(&node, 0, &["a"]).await;
            client.connect(&node).await;
            let mut number = 0;
            for step in 0..6 {
                match step {
                    1 => client.open_candidate(&node, 400),
                    2 => client.probe().await,
                    _ => {
                        client.pump(&node).await;
                    }
                }
                if pattern >> step & 1 == 1 {
                    publish(&node, &mut number);
                }
                if pattern >> (step + 6) & 1 == 1 {
                    settle().await;
                }
            }
            client.catch_up(&node).await;
            assert!(client.is_on_websocket(), "pattern {pattern:#b}");
            publish(&node, &mut number);
            client.catch_up(&node).await;
            assert!(client.numbers().into_iter().eq(1..=number), "pattern {pattern:#b}: {:?}", client.heard);
            client.hang_up();
            settle().await;
        }
        node.assert_empty().await;
    });
}

#[test]
fn a_candidate_that_never_takes_over_is_dropped_and_polling_goes_on() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        for probes in [false, true] {
            let mut client = Client::polling(&node, 0, &["a"]).await;
            client.connect(&node).await;
            client.catch_up(&node).await;
            client.open_candidate(&node, 400);
            if probes {
                client.probe().await;
                client.give_up_after_probe();
            }
            tokio::time::sleep(Duration::from_secs(9)).await;
            client.pump(&node).await;
            assert!(client.has_candidate(), "before its 10 s are over");
            tokio::time::sleep(Duration::from_secs(2)).await;
            client.catch_up(&node).await;
            assert!(!client.has_candidate() && !client.is_on_websocket());
            assert_eq!(node.publish("a", 1, 100), Ok(1));
            client.catch_up(&node).await;
            assert_eq!(client.numbers(), [1]);
            client.open_candidate(&node, 400);
            client.probe().await;
            client.catch_up(&node).await;
            assert!(client.is_on_websocket(), "the next one may");
            client.hang_up();
            settle().await;
        }
        node.assert_empty().await;
    });
}

#[test]
fn polls_wait_while_a_websocket_says_nothing() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut client = Client::polling(&node, 0, &["a"]).await;
        client.connect(&node).await;
        client.catch_up(&node).await;
        client.open_candidate(&node, 400);
        settle().await;
        client.pump(&node).await;
        settle().await;
        assert!(!client.pump(&node).await, "the request that waits was answered nothing");
        assert_eq!(node.publish("a", 1, 100), Ok(1));
        client.catch_up(&node).await;
        assert_eq!(client.numbers(), [1]);
    });
}

#[test]
fn a_session_that_is_closed_takes_its_candidate_with_it() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut client = Client::polling(&node, 0, &["a"]).await;
        client.connect(&node).await;
        client.open_candidate(&node, 400);
        client.probe().await;
        node.close();
        client.catch_up(&node).await;
        assert!(client.is_over && !client.is_on_websocket());
        node.assert_empty().await;
    });
}
