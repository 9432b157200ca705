//! Where a publication stands among all that a node took.

/// A place in the one order of a node's publications, the same for all of its workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Drawn at random when the node starts: sequence numbers of different epochs cannot be compared.
    pub epoch: u64,
    /// How many publications there have been with this one.
    pub sequence: u64,
}
