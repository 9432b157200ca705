//! Bytes leave in order, are counted, and are shared.

use proptest::prelude::*;

use super::*;

fn drained(outbox: &mut Outbox, piece: usize) -> Vec<u8> {
    let mut written = Vec::new();
    while let Some(front) = outbox.front() {
        let now = front.get(..piece.min(front.len())).unwrap().to_vec();
        outbox.advance(now.len());
        written.extend(now);
    }
    written
}

#[test]
fn a_poll_takes_texts_where_a_websocket_takes_frames() {
    let items = [Item::packet(&["42[", "1", "]"]), Item::packet(&["2"])];
    let mut outbox = Outbox::default();
    items.iter().for_each(|item| outbox.push(item.clone()));
    assert_eq!(outbox.take_payload(), "42[1]\u{1e}2");
    assert!(outbox.is_empty() && outbox.bytes() == 0);
    assert_eq!(Item::joined(&items).frame(), b"\x81\x0542[1]\x81\x012");
}

#[test]
fn bytes_are_base64_where_a_client_polls() {
    let items = [Item::packet(&["451-[{}]"]), Item::binary(&[0, 255, 1]), Item::binary(&[])];
    let mut outbox = Outbox::default();
    items.iter().for_each(|item| outbox.push(item.clone()));
    assert_eq!(drained(&mut outbox, 3), b"\x81\x08451-[{}]\x82\x03\x00\xff\x01\x82\x00");
    items.iter().for_each(|item| outbox.push(item.clone()));
    assert_eq!(outbox.take_payload(), "451-[{}]\u{1e}bAP8B\u{1e}b");
}

#[test]
fn what_was_written_at_once_is_not_written_again() {
    let mut outbox = Outbox::default();
    outbox.push_rest(Item::packet(&["42[1]"]), 3);
    assert_eq!(outbox.bytes(), 4);
    assert_eq!(drained(&mut outbox, 2), b"2[1]");
}

#[test]
fn a_burst_gives_its_room_back() {
    let mut outbox = Outbox::default();
    for _ in 0..10_000 {
        outbox.push(Item::packet(&["2"]));
    }
    let mut capacity = outbox.items.capacity();
    while outbox.items.len() > 10 {
        let front = outbox.front().unwrap().len();
        outbox.advance(front);
        assert!(outbox.items.capacity() <= capacity.max(outbox.items.len() * 4 + 4));
        capacity = outbox.items.capacity();
    }
    assert!(capacity <= 44, "{capacity} places for 10");
    drained(&mut outbox, 100);
    assert_eq!(outbox.items.capacity(), 0);
}

#[test]
fn an_outbox_holds_a_bounded_number_of_the_smallest_events() {
    assert!((size_of::<Item>()..=2 * size_of::<Item>()).contains(&ITEM_BYTES));
    let mut outbox = Outbox::default();
    for _ in 0..100_000 {
        outbox.push(Item::event(&["42[]"]));
        outbox.drop_oldest(1 << 20);
    }
    assert!(outbox.items.len() <= (1 << 20) / ITEM_BYTES, "{} items", outbox.items.len());
    assert!(outbox.cost() <= 1 << 20);
}

#[test]
fn what_waits_is_counted_until_it_is_taken_or_dropped() {
    let queues = crate::types::Queues::default();
    let mut outbox = Outbox::counted(QueuedBytes::new(queues.of(0)));
    let item = Item::event(&[&"x".repeat(98)]);
    outbox.push_rest(item.clone(), 30);
    assert_eq!(queues.bytes(), 70 + 64);
    outbox.push(item.clone());
    assert_eq!(queues.bytes(), 170 + 128);
    outbox.advance(70);
    assert_eq!(queues.bytes(), 100 + 64);
    outbox.push(item.clone());
    outbox.drop_oldest(100);
    assert_eq!(queues.bytes(), outbox.cost() as u64);
    outbox.take_payload();
    assert_eq!(queues.bytes(), 0);
    outbox.push(item);
    outbox.clear();
    assert_eq!(queues.bytes(), 0);
    outbox.push(Item::packet(&["2"]));
    drop(outbox);
    assert_eq!(queues.bytes(), 0);
}

proptest! {
    #[test]
    fn bytes_are_counted_and_keep_their_order(texts in prop::collection::vec("[a-z]{0,200}", 0..20), piece in 1..50usize) {
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        for text in &texts {
            let item = Item::packet(&[text]);
            expected.extend_from_slice(item.frame());
            outbox.push(item);
        }
        prop_assert_eq!(outbox.bytes(), expected.len());
        prop_assert_eq!(drained(&mut outbox, piece), expected);
        prop_assert_eq!(outbox.bytes(), 0);
    }
}

#[test]
fn the_oldest_events_are_dropped_and_told_of_in_their_place() {
    let event = |number: u8| format!("42[{number}{}]", " ".repeat(95));
    let mut outbox = Outbox::default();
    outbox.push_rest(Item::event(&[&event(0)]), 3);
    outbox.push(Item::packet(&["2"]));
    (1..=4).for_each(|number| outbox.push(Item::event(&[&event(number)])));
    let cost = outbox.cost();
    assert_eq!(outbox.drop_oldest(cost), 0);
    assert_eq!(outbox.drop_oldest(cost - 100), 2, "word of the first takes its place");
    assert_eq!(outbox.drop_oldest(cost - 300), 1);
    let expected =
        [&event(0)[1..], "\u{1}2", "\u{20}42[\"roomcast:gap\",{\"dropped\":3}]", "\u{64}", &event(4)].concat();
    assert_eq!(outbox.bytes(), expected.len() + 3, "the first bytes of three frames");
    let written = drained(&mut outbox, 100);
    assert_eq!(String::from_utf8_lossy(&written).replace('\u{fffd}', ""), expected);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn an_event_that_is_more_than_the_queue_is_dropped_and_told_of() {
    let mut outbox = Outbox::default();
    outbox.push(Item::packet(&["40{}"]));
    outbox.push(Item::event(&[&"x".repeat(200)]));
    assert_eq!(outbox.drop_oldest(100 + 2 * ITEM_BYTES), 1);
    outbox.push(Item::event(&["42[2]"]));
    assert_eq!(outbox.take_payload(), "40{}\u{1e}42[\"roomcast:gap\",{\"dropped\":1}]\u{1e}42[2]");
}

#[test]
fn of_pongs_that_wait_behind_many_items_the_last_stays() {
    let mut outbox = Outbox::default();
    for number in 0..PONGS_MAX {
        outbox.push(Item::pong(number.to_string().as_bytes()));
    }
    let many = outbox.bytes();
    let last = (PONGS_MAX - 1).to_string().len();
    outbox.push(Item::pong(b"longer"));
    assert_eq!(outbox.bytes(), many - last + 6, "in place of the last");
    outbox.push(Item::packet(&["2"]));
    outbox.push(Item::pong(b"3"));
    outbox.push(Item::pong(b""));
    let bytes = outbox.bytes();
    let drained = drained(&mut outbox, 5);
    assert!(drained.starts_with(b"\x8a\x010\x8a\x011") && drained.ends_with(b"\x8a\x06longer\x81\x012\x8a\x00"));
    assert_eq!((drained.len(), outbox.bytes()), (bytes, 0));
}

#[test]
fn a_pong_in_place_of_another_is_counted() {
    let queues = crate::types::Queues::default();
    let mut outbox = Outbox::counted(QueuedBytes::new(queues.of(0)));
    for _ in 0..=PONGS_MAX {
        outbox.push(Item::pong(b"1"));
    }
    outbox.push(Item::pong(&[b'x'; 100]));
    assert_eq!(outbox.items.len(), PONGS_MAX);
    assert_eq!(queues.bytes(), outbox.cost() as u64);
}

#[test]
fn answers_that_wait_are_not_looked_at_for_each_event() {
    let mut outbox = Outbox::default();
    for _ in 0..10_000 {
        outbox.push(Item::packet(&["44"]));
    }
    let cost_max = outbox.cost() + 1_000;
    for _ in 0..100 {
        outbox.push(Item::event(&["42[1]"]));
        outbox.drop_oldest(cost_max);
    }
    assert_eq!(outbox.kept, 10_001, "the answers, and word of what was dropped behind them");
    assert!(outbox.items.len() < 10_020);
    let front = outbox.front().unwrap().len();
    outbox.advance(front);
    assert_eq!(outbox.kept, 10_000);
    outbox.clear();
    assert_eq!(outbox.kept, 0);
}

proptest! {
    #[test]
    fn pieces_of_any_size_are_what_was_queued(
        lengths in proptest::collection::vec(0..200_usize, 1..40),
        bytes_max in 1..300_usize,
        taken in proptest::collection::vec(1..400_usize, 1..20),
    ) {
        let mut outbox = Outbox::default();
        let mut queued = Vec::new();
        for (number, length) in lengths.into_iter().enumerate() {
            let item = Item::packet(&["4", &char::from(b'a' + (number % 26) as u8).to_string().repeat(length)]);
            queued.extend_from_slice(item.frame());
            outbox.push(item);
        }
        let (mut written, mut space) = (Vec::new(), Vec::new());
        for taken in taken.iter().cycle() {
            let (items, waiting) = (outbox.items.len(), outbox.bytes());
            let first = outbox.front().unwrap().len();
            let piece = outbox.piece(bytes_max, &mut space);
            if items > 1 && first < bytes_max {
                prop_assert_eq!(piece.len(), bytes_max.min(waiting), "as much as fits");
            }
            let now = piece.len().min(*taken);
            written.extend_from_slice(&piece[..now]);
            outbox.advance(now);
            if outbox.is_empty() {
                break;
            }
        }
        prop_assert_eq!(outbox.bytes(), 0);
        prop_assert_eq!(written, queued);
    }

    #[test]
    fn what_is_dropped_is_what_a_look_at_every_item_drops(steps in prop::collection::vec((0..5u8, 0..200usize), 0..200)) {
        let (mut outbox, mut naive) = (Outbox::default(), Outbox::default());
        for (choice, number) in steps {
            naive.kept = 0;
            for outbox in [&mut outbox, &mut naive] {
                match choice {
                    0 => outbox.push(Item::packet(&["2"])),
                    1 | 2 => outbox.push(Item::event(&[&"x".repeat(number)])),
                    3 if outbox.is_empty() => outbox.push_rest(Item::event(&[&"x".repeat(number)]), 1),
                    3 => outbox.advance(number.clamp(1, outbox.front().unwrap().len())),
                    _ => drop(outbox.drop_oldest(number * 20)),
                }
            }
            prop_assert_eq!((outbox.bytes(), outbox.items.len()), (naive.bytes(), naive.items.len()));
        }
        prop_assert_eq!(drained(&mut outbox, 1_000), drained(&mut naive, 1_000));
    }
}
