//! The closed set of causes is complete and its labels are distinct.

use super::*;
use std::collections::HashSet;

#[test]
fn all_causes_stand_at_their_discriminant_with_a_label_of_their_own() {
    let labels: HashSet<_> = Cause::ALL.iter().map(|cause| cause.label()).collect();
    assert_eq!(labels.len(), Cause::ALL.len());
    for (index, cause) in Cause::ALL.iter().enumerate() {
        assert_eq!(*cause as usize, index);
    }
}
