//! How many sessions there are, of the node and of each address.

/// The place of one session; dropping it gives the place back.
#[derive(Debug)]
pub struct Seat {}
