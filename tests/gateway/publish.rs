//! The producer's API on the wire: its paths and answers, what a body may be, and who may publish how fast.

mod answers;
mod bodies;
mod refusals;

/// A publish with this content type.
const JSON: &str = "POST /publish\nContent-Type: application/json";
