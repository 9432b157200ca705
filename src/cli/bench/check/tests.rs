//! Loss, duplicates and order, on sequences written by hand and against a naive model.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Arrival, Outcome, StreamCheck};

fn heard(sequences: &[u32]) -> (StreamCheck, usize, usize) {
    let mut check = StreamCheck::default();
    let arrivals: Vec<_> = sequences.iter().map(|&sequence| check.arrive(sequence)).collect();
    let count = |arrival| arrivals.iter().filter(|&&other| other == arrival).count();
    (check, count(Arrival::Duplicate), count(Arrival::Late))
}

fn outcome(published: u32, unanswered: &[u32]) -> Outcome {
    Outcome { published, unanswered: unanswered.to_vec() }
}

#[test]
fn all_in_order_is_clean() {
    let (check, duplicated, late) = heard(&[0, 1, 2, 3]);
    assert_eq!((check.lost(&outcome(4, &[])), duplicated, late), (0, 0, 0));
}

#[test]
fn what_was_not_heard_is_lost_wherever_it_is_missing() {
    assert_eq!(heard(&[1, 2, 5]).0.lost(&outcome(8, &[])), 5);
    assert_eq!(heard(&[]).0.lost(&outcome(3, &[])), 3);
}

#[test]
fn a_publish_without_an_answer_is_neither_expected_nor_forbidden() {
    assert_eq!(heard(&[0, 2, 3]).0.lost(&outcome(5, &[1, 4])), 0);
    assert_eq!(heard(&[0, 1, 2, 3, 4]).0.lost(&outcome(5, &[1, 4])), 0);
    assert_eq!(heard(&[3]).0.lost(&outcome(5, &[1, 3])), 3);
}

#[test]
fn a_late_one_is_reordered_and_not_lost() {
    let (check, duplicated, late) = heard(&[0, 3, 1, 2]);
    assert_eq!((check.lost(&outcome(4, &[])), duplicated, late), (0, 0, 2));
}

#[test]
fn a_second_copy_is_a_duplicate_however_late() {
    let (check, duplicated, late) = heard(&[0, 0, 1, 2, 1, 4, 3, 3]);
    assert_eq!((check.lost(&outcome(5, &[])), duplicated, late), (0, 3, 1));
}

#[test]
fn the_highest_number_does_not_overflow() {
    let (check, duplicated, _) = heard(&[u32::MAX, 0]);
    assert_eq!((duplicated, check.lost(&outcome(0, &[]))), (0, u64::from(u32::MAX) - 1));
}

proptest! {
    #[test]
    fn agrees_with_a_set(sequences in proptest::collection::vec(0u32..20, 0..60), unanswered in proptest::collection::btree_set(0u32..20, 0..10)) {
        let mut check = StreamCheck::default();
        let mut set = BTreeSet::new();
        for &sequence in &sequences {
            let late = set.last().is_some_and(|&last| sequence < last);
            let expected = match (set.insert(sequence), late) {
                (false, _) => Arrival::Duplicate,
                (true, true) => Arrival::Late,
                (true, false) => Arrival::InOrder,
            };
            prop_assert_eq!(check.arrive(sequence), expected);
        }
        let lost = (0..20).filter(|sequence| !set.contains(sequence) && !unanswered.contains(sequence)).count();
        let outcome = Outcome { published: 20, unanswered: unanswered.into_iter().collect() };
        prop_assert_eq!(check.lost(&outcome), lost as u64);
    }
}
