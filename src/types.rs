//! The vocabulary: small types that every other module speaks, and that know none of them.

pub mod addr;
pub mod cause;
pub mod clock;
pub mod close_reason;
pub mod framing;
pub mod nesting;
pub mod not_found;
pub mod position;
pub mod publication;
pub mod queues;
pub mod room;
pub mod secret;
pub mod stats;

use std::time::Duration;

use http::{HeaderName, HeaderValue};

pub use addr::{ClientAddr, PeerAddr};
pub use cause::Cause;
pub use clock::Clock;
pub use close_reason::CloseReason;
pub use framing::is_framed_plainly;
pub use not_found::{not_found_headers, not_found_page};
pub use position::Position;
pub use publication::{Payload, Publication};
pub use queues::Queues;
pub use room::{EventName, RoomName};
pub use secret::Secret;
pub use stats::Stats;

/// How long a keep-alive connection may wait for its next request. Longer than the 60 s of common load balancers, so
/// that it is they who close an idle connection, and no request meets one that we close.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// The header that tells a client of [`IDLE_TIMEOUT`].
pub const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// [`IDLE_TIMEOUT`] as [`KEEP_ALIVE`] says it.
pub const KEEP_ALIVE_TIMEOUT: HeaderValue = HeaderValue::from_static("timeout=75");
