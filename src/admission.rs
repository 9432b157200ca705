//! Who may speak: every address, header, token and rate is judged here, and nowhere else.
//!
//! A publisher is judged by [`Gate::publisher`] before a byte of its body is read, and by [`Gate::publish`] if it
//! publishes. A subscriber is judged three times, through [`Admission`]: each request (`browser`), each new session
//! (`open`), and its CONNECT packet (`connect`, then `turn`).

pub mod cidr;
pub mod config;
pub mod forwarded;
mod gate;
pub mod jwt;
pub mod origin;
mod pace;
mod quota;
mod rate;
pub mod refusal;
mod rooms;
pub mod token;

use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use crate::types::{ClientAddr, PeerAddr, RoomName};
pub use config::Config;
pub use gate::Gate;
pub use quota::Seat;
pub use refusal::Refusal;
pub use rooms::ROOMS_MAX;

/// A subscriber's address, and whether the limits for addresses apply to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The other end of the socket, for the log.
    pub peer: PeerAddr,
    /// The address that counts.
    pub addr: ClientAddr,
    /// What a trusted proxy reported, for the log; none when the peer speaks for itself.
    pub forwarded: Option<ClientAddr>,
    /// False when a trusted proxy sent no header, or the address is in `RATE_LIMIT_EXEMPT`.
    pub limited: bool,
}

/// What a subscriber's CONNECT packet and handshake say of it.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The handshake's client address.
    pub client: Client,
    /// Every `uniqueUserId` of the handshake's query, decoded, in order.
    pub query_rooms: &'a [String],
    /// The packet's `auth`, if it is there.
    pub auth: Option<&'a serde_json::Value>,
}

/// What a connected subscriber is: its rooms, and the keys that its rate is counted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The rooms to join; empty: connected, and hears nothing.
    pub rooms: Vec<RoomName>,
    /// Whose turns are to be waited for; none if nobody waits.
    pub users: Vec<UserKey>,
}

/// What the limit for users counts: a user's room, or the address of a subscriber that names none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UserKey {
    /// A named user.
    Room(RoomName),
    /// A nameless one, by address (IPv6 by /64).
    Address(IpAddr),
}

/// The questions that a subscriber's session asks on its way in.
pub trait Admission: Send + Sync + 'static {
    /// Judges a request by its `Origin`. Allowed: the origin to repeat in CORS headers, or none if there was none.
    ///
    /// # Errors
    /// [`Cause::ForeignOrigin`](crate::types::Cause::ForeignOrigin).
    fn browser(&self, peer: PeerAddr, headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal>;

    /// The address that counts for a request. Never a refusal: without a readable header the peer's own counts.
    /// A trusted proxy that sends no header at all is exempt from the limits for addresses.
    fn client(&self, peer: PeerAddr, headers: &HeaderMap) -> Client;

    /// Takes a place for a new session, which is given back when the [`Seat`] is dropped.
    ///
    /// # Errors
    /// Over the rate of its address, over its address's share, or over the node's number of sessions.
    fn open(&self, client: Client) -> Result<Seat, Refusal>;

    /// Judges a CONNECT packet: token first, then rooms, and with `LEGACY_QUIRKS` the user's rate.
    ///
    /// # Errors
    /// `invalid token` or `invalid room`, which do not tell which part was wrong, or `rate limit block`.
    fn connect(&self, claim: Claim<'_>) -> Result<Grant, Refusal>;

    /// Takes one connect from the user's bucket, or tells how long to wait before asking again.
    ///
    /// # Errors
    /// The time until the bucket has room.
    fn turn(&self, user: &UserKey) -> Result<(), Duration>;
}
