//! The vocabulary: small types that every other module speaks, and that know none of them.

pub mod addr;
pub mod cause;
pub mod clock;
pub mod close_reason;
pub mod not_found;
pub mod publication;
pub mod room;
pub mod secret;
pub mod stats;

pub use addr::{ClientAddr, PeerAddr};
pub use cause::Cause;
pub use clock::Clock;
pub use close_reason::CloseReason;
pub use not_found::not_found_page;
pub use publication::{Payload, Publication};
pub use room::{EventName, RoomName};
pub use secret::Secret;
pub use stats::Stats;
