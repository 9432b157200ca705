//! One event for a room: who hears it while members come and go, in slices and in batches.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::subscriber::config::SLICE;
use crate::types::CloseReason;

/// A room of so many subscribers over websockets that hold many events.
async fn crowd(node: &Node, members: usize) -> Vec<Client> {
    let mut crowd = Vec::new();
    for _ in 0..members {
        let mut client = Client::websocket(node, 0, &["a"], 4_096).await;
        client.connect(node).await;
        crowd.push(client);
    }
    crowd
}

async fn assert_all_hear(node: &Node, crowd: &mut [Client], numbers: &[u64]) {
    settle().await;
    for (index, client) in crowd.iter_mut().enumerate() {
        client.pump(node).await;
        assert_eq!(client.numbers(), numbers, "member {index}");
    }
}

#[test]
fn who_joins_amid_a_large_fan_out_hears_nothing_of_that_event() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut members = crowd(&node, SLICE * 2 + 50).await;
        let mut late = Client::websocket(&node, 0, &["a"], 4_096).await;
        assert_eq!(node.publish("a", 1, 10), Ok(SLICE * 2 + 50));
        // The first slice is written, from the end; then others have their turn.
        while !members.last_mut().unwrap().pump(&node).await {
            tokio::task::yield_now().await;
        }
        assert!(!members[0].pump(&node).await, "the last slice is still to come");
        late.send(&node, "40").await;
        while !node.is_joined(late.id) {
            tokio::task::yield_now().await;
        }
        assert!(!members[0].pump(&node).await, "it joined amid the fan-out");
        assert_all_hear(&node, &mut members, &[1]).await;
        late.catch_up(&node).await;
        assert_eq!(late.numbers(), [] as [u64; 0]);
        assert_eq!(node.publish("a", 2, 10), Ok(SLICE * 2 + 51));
        assert_all_hear(&node, &mut members, &[1, 2]).await;
        late.catch_up(&node).await;
        assert_eq!(late.numbers(), [2]);
    });
}

#[test]
fn who_leaves_amid_a_large_fan_out_disturbs_nobody_else() {
    in_virtual_time(async {
        for seed in 0..8 {
            let mut random = StdRng::seed_from_u64(seed);
            let node = Node::start(1, &config());
            let mut members = crowd(&node, random.random_range(SLICE + 1..SLICE * 3)).await;
            assert_eq!(node.publish("a", 1, 10), Ok(members.len()));
            let mut left = 0;
            for _ in 0..40 {
                let gone = random.random_range(0..members.len());
                let mut client = members.swap_remove(gone);
                match random.random_range(0..3) {
                    0 => client.send(&node, "41").await,
                    1 => client.send(&node, "1").await,
                    _ => client.hang_up(),
                }
                left += 1;
                if random.random_bool(0.3) {
                    tokio::task::yield_now().await;
                }
            }
            assert_all_hear(&node, &mut members, &[1]).await;
            assert_eq!(node.closed(), left, "seed {seed}");
            assert_eq!(node.members("a"), members.len(), "seed {seed}");
            assert_eq!(node.publish("a", 2, 10), Ok(members.len()));
            assert_all_hear(&node, &mut members, &[1, 2]).await;
            node.close();
            node.assert_empty().await;
        }
    });
}

#[test]
fn of_a_batch_a_member_hears_what_was_published_after_it_joined() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut old = Client::websocket(&node, 0, &["a"], 4_096).await;
        let mut polls = Client::polling(&node, 0, &["a"]).await;
        let mut new = Client::websocket(&node, 0, &["a"], 4_096).await;
        old.connect(&node).await;
        polls.connect(&node).await;
        for number in 1..=3 {
            assert_eq!(node.publish("a", number, 10), Ok(2));
        }
        // Nothing was fanned out yet: the worker has had no turn since.
        node.session(new.id).unwrap().receive("40").unwrap();
        for number in 4..=6 {
            assert_eq!(node.publish("a", number, 10), Ok(3));
        }
        for client in [&mut old, &mut polls, &mut new] {
            client.catch_up(&node).await;
        }
        assert_eq!((old.numbers(), polls.numbers()), ((1..=6).collect(), (1..=6).collect()));
        assert_eq!(new.numbers(), [4, 5, 6]);
    });
}

#[test]
fn a_drain_delivers_what_was_published_before_it() {
    in_virtual_time(async {
        let node = Node::start(2, &config());
        let mut members = crowd(&node, SLICE + 10).await;
        let mut elsewhere = Client::websocket(&node, 1, &["a"], 64).await;
        let mut polls = Client::polling(&node, 1, &["a"]).await;
        elsewhere.connect(&node).await;
        polls.connect(&node).await;
        polls.catch_up(&node).await;
        for number in 1..=5 {
            assert_eq!(node.publish("a", number, 200), Ok(SLICE + 12));
        }
        node.close();
        assert_all_hear(&node, &mut members, &[1, 2, 3, 4, 5]).await;
        elsewhere.catch_up(&node).await;
        assert_eq!(elsewhere.numbers(), [1, 2, 3, 4, 5]);
        polls.catch_up(&node).await;
        assert_eq!(polls.numbers(), [1, 2, 3, 4, 5], "in the answer to the request that waited");
        assert!(members.iter().all(|client| client.is_over));
        assert_eq!(node.stats.closes(CloseReason::Shutdown).get(), SLICE as u64 + 12);
        node.assert_empty().await;
    });
}

#[test]
fn a_small_room_is_served_amid_the_fan_out_of_a_large_one() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut members = crowd(&node, SLICE * 3).await;
        let mut small = Client::websocket(&node, 0, &["b"], 4_096).await;
        let mut both = Client::websocket(&node, 0, &["b", "a"], 4_096).await;
        small.connect(&node).await;
        both.connect(&node).await;
        // What is published to the small room waits behind many slices of the other.
        let large = SLICE * 3 + 1;
        assert_eq!(node.publish("a", 1, 3_000), Ok(large));
        assert_eq!(node.publish("a", 2, 900), Ok(large));
        assert_eq!(node.publish("b", 3, 10), Ok(2));
        assert_eq!(node.publish("a", 4, 10), Ok(large));
        assert_eq!(node.publish("b", 5, 10), Ok(2));
        while small.numbers().len() < 2 {
            tokio::task::yield_now().await;
            small.pump(&node).await;
        }
        assert!(!members[0].pump(&node).await, "the large room has slices to come");
        assert_eq!(node.hub.inbox(0).unwrap().take(usize::MAX).len(), 0);
        assert!(node.hub.inbox(0).unwrap().bytes() > 3_900, "what is under way counts in the inbox");
        assert_all_hear(&node, &mut members, &[1, 2, 4]).await;
        small.catch_up(&node).await;
        both.catch_up(&node).await;
        assert_eq!(small.numbers(), [3, 5]);
        let of_room =
            |numbers: &[u64]| both.numbers().into_iter().filter(|number| numbers.contains(number)).collect::<Vec<_>>();
        assert_eq!((of_room(&[1, 2, 4]), of_room(&[3, 5])), (vec![1, 2, 4], vec![3, 5]));
        assert_eq!(both.numbers().len(), 5);
        node.close();
        node.assert_empty().await;
    });
}

#[test]
fn a_flood_of_small_events_lets_others_have_their_turn() {
    in_virtual_time(async {
        let node = Node::start(1, &Config { slice: 10, ..config() });
        let mut first = Client::websocket(&node, 0, &["a"], 4_096).await;
        let mut second = Client::websocket(&node, 0, &["b"], 4_096).await;
        first.connect(&node).await;
        second.connect(&node).await;
        for number in 100..150 {
            assert_eq!(node.publish(if number % 2 == 0 { "a" } else { "b" }, number, 10), Ok(1));
        }
        let inbox = node.hub.inbox(0).unwrap();
        let all = inbox.bytes();
        tokio::task::yield_now().await;
        assert_eq!(inbox.bytes(), all / 5 * 4, "ten of fifty are sent, and then it is our turn");
        first.catch_up(&node).await;
        second.catch_up(&node).await;
        assert_eq!((first.numbers().len(), second.numbers().len()), (25, 25));
    });
}

#[test]
fn two_large_rooms_take_turns() {
    in_virtual_time(async {
        let node = Node::start(1, &Config { slice: 2, ..config() });
        let mut first = crowd(&node, 20).await;
        let mut second = Vec::new();
        for _ in 0..4 {
            let mut client = Client::websocket(&node, 0, &["b"], 4_096).await;
            client.connect(&node).await;
            second.push(client);
        }
        assert_eq!((node.publish("a", 1, 10), node.publish("b", 2, 10)), (Ok(20), Ok(4)));
        while !second[0].pump(&node).await {
            tokio::task::yield_now().await;
        }
        assert!(!first[0].pump(&node).await, "the larger room is not done");
        assert_all_hear(&node, &mut second, &[2]).await;
        assert_all_hear(&node, &mut first, &[1]).await;
    });
}

#[test]
fn who_is_alone_in_what_was_a_large_room_is_served_as_ever() {
    in_virtual_time(async {
        let node = Node::start(1, &Config { slice: 2, ..config() });
        let mut members = crowd(&node, 9).await;
        for number in 1..=3 {
            assert_eq!(node.publish("a", number, 10), Ok(9));
        }
        tokio::task::yield_now().await;
        members.drain(..).for_each(|mut client| client.hang_up());
        settle().await;
        assert_eq!(node.members("a"), 0);
        let mut late = Client::websocket(&node, 0, &["a"], 4_096).await;
        late.connect(&node).await;
        assert_eq!(node.publish("a", 4, 10), Ok(1));
        late.catch_up(&node).await;
        assert_eq!(late.numbers(), [4]);
        node.close();
        node.assert_empty().await;
    });
}

#[test]
fn a_crowd_that_leaves_gives_its_space_back() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut members = crowd(&node, 1_000).await;
        assert!(node.capacity(0).1 >= 1_000);
        members.drain(20..).for_each(|mut client| client.hang_up());
        settle().await;
        assert!(node.capacity(0).1 <= 80, "{} places for 20", node.capacity(0).1);
        assert_eq!(node.publish("a", 1, 10), Ok(20));
        assert_all_hear(&node, &mut members, &[1]).await;
        node.close();
        node.assert_empty().await;
    });
}
