//! The gates in their order: what a publisher and a subscriber pass on their way in.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::{Admission, Claim, Client, Config, Grant, Refusal, Seat, UserKey};
use crate::types::{Clock, PeerAddr, Stats};

/// Judges publishers and subscribers. Shared by all workers.
pub struct Gate {}

impl Gate {
    /// A gate with empty tables. Refusals are counted in `stats`.
    pub fn new(_config: Config, _clock: Clock, _stats: Arc<Stats>) -> Arc<Self> {
        todo!()
    }

    /// Judges a publisher by address, `Origin` and rate, before its body is read.
    ///
    /// # Errors
    /// 403 for an untrusted or unreadable address or a foreign origin; 429 over `PUBLISH_RATE_LIMIT`.
    pub fn publisher(&self, _peer: PeerAddr, _headers: &HeaderMap) -> Result<Client, Refusal> {
        todo!()
    }

    /// Forgets limiter entries that say nothing any more. Called once a minute.
    pub fn sweep(&self) {
        todo!()
    }
}

impl Admission for Gate {
    fn browser(&self, _headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
        todo!()
    }

    fn client(&self, _peer: PeerAddr, _headers: &HeaderMap) -> Client {
        todo!()
    }

    fn open(&self, _client: Client) -> Result<Seat, Refusal> {
        todo!()
    }

    fn connect(&self, _claim: Claim<'_>) -> Result<Grant, Refusal> {
        todo!()
    }

    fn turn(&self, _user: &UserKey) -> Result<(), Duration> {
        todo!()
    }
}
