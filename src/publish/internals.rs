//! What `benches/splice.rs` measures of a publish. No part of the interface.

use super::{TARGET, splice};

/// Takes the target out of a body. Returns what is left; none where the body cannot be taken.
pub fn splice(body: &str) -> Option<String> {
    splice::split(body, TARGET).ok().map(|split| split.payload)
}
