//! The gates in their order: what a publisher and a subscriber pass on their way in.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::DefaultClock;
use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use tracing::field::{DisplayValue, display};
use tracing::warn;

use super::config::{RateConfig, UserRate};
use super::forwarded::{Origination, origination};
use super::origin::RequestOrigin;
use super::pace::Pace;
use super::quota::Seats;
use super::rate::Limiter;
use super::{Admission, Claim, Client, Config, Grant, Refusal, Seat, UserKey, rooms, token};
use crate::types::{Cause, ClientAddr, Clock, PeerAddr, RoomName, Stats};

/// How many seconds' sessions one address may open at once: a page with several tabs comes back whole.
const ADDRESS_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

/// How many seconds' sessions one user may open at once: as many devices come back together.
const USER_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// When to ask again for a place. Places come free when others leave, which nobody can foretell.
const FULL_WAIT: Duration = Duration::from_secs(10);

/// How often a lasting fault of the deployment is warned of.
const WARNING_PERIOD: Duration = Duration::from_secs(60);

/// Bytes of a client's own text that a log line repeats.
const EXCERPT_BYTES: usize = 128;

/// Judges publishers and subscribers. Shared by all workers.
///
/// `C` measures rates; the wall clock, which can be set back, judges tokens alone.
pub struct Gate<C: governor::clock::Clock = DefaultClock> {
    config: Config,
    clock: Clock,
    stats: Arc<Stats>,
    seats: Seats,
    publishes: Option<Limiter<C>>,
    sessions: Option<Limiter<C>>,
    users: Option<Limiter<C>>,
    headerless: Pace<C>,
    roomless: Pace<C>,
}

impl Gate {
    /// A gate with empty tables. Refusals are counted in `stats`.
    pub fn new(config: Config, clock: Clock, stats: Arc<Stats>) -> Arc<Self> {
        Arc::new(Self::with_rate_clock(config, clock, stats, &DefaultClock::default()))
    }
}

impl<C: governor::clock::Clock + Clone> Gate<C> {
    fn with_rate_clock(config: Config, clock: Clock, stats: Arc<Stats>, rate_clock: &C) -> Self {
        let limiter = |per_second, bursts| Limiter::new(per_second, bursts, rate_clock.clone());
        let pace = || Pace::new(WARNING_PERIOD, rate_clock.clone());
        Self {
            seats: Seats::new(&config, &stats),
            publishes: config.publishes_per_second.map(|rate| limiter(rate, NonZeroU32::MIN)),
            sessions: config.rates.as_ref().map(|rates| limiter(rates.per_address, ADDRESS_BURST)),
            users: config.rates.as_ref().map(|rates| match rates.per_user {
                UserRate::Waits(per_second) => limiter(per_second, USER_BURST),
                UserRate::OneOrRefused => limiter(NonZeroU32::MIN, NonZeroU32::MIN),
            }),
            headerless: pace(),
            roomless: pace(),
            config,
            clock,
            stats,
        }
    }

    /// Judges a publisher by address and `Origin`, before its body is read.
    ///
    /// # Errors
    /// 403 for an untrusted or unreadable address or a foreign origin.
    pub fn publisher(&self, peer: PeerAddr, headers: &HeaderMap) -> Result<Client, Refusal> {
        let client = self.publishing_client(peer, headers)?;
        self.origin(peer, headers)?;
        Ok(client)
    }

    /// Takes one publish from the bucket of a publisher's address.
    ///
    /// `RATE_LIMIT_EXEMPT` speaks of subscribers; `PUBLISH_RATE_LIMIT` holds for every publisher.
    ///
    /// # Errors
    /// 429 over `PUBLISH_RATE_LIMIT`.
    pub fn publish(&self, publisher: Client) -> Result<(), Refusal> {
        let Some(limiter) = &self.publishes else { return Ok(()) };
        limiter.check(&publisher.addr.limit_key()).map_err(|wait| {
            warn!(remoteIp = %publisher.peer, forwardedIp = forwarded(publisher), "rate limit block");
            self.refuse(Refusal::passing(Cause::PublishRate, wait))
        })
    }

    /// Forgets limiter entries that say nothing any more. Called once a minute.
    pub fn sweep(&self) {
        for limiter in [&self.publishes, &self.sessions, &self.users].into_iter().flatten() {
            limiter.sweep();
        }
    }

    fn publishing_client(&self, peer: PeerAddr, headers: &HeaderMap) -> Result<Client, Refusal> {
        let (addr, forwarded) = match origination(peer, headers, self.config.proxy.as_ref()) {
            Origination::Peer(addr) => (addr, None),
            Origination::Forwarded(addr) => (addr, Some(addr)),
            Origination::UntrustedProxy => {
                warn!(remoteIp = %peer, "untrusted proxy_ip or ip");
                return Err(self.refuse(Refusal::lasting(Cause::UntrustedAddress)));
            }
            Origination::Missing | Origination::Unreadable => {
                warn!(remoteIp = %peer, "invalid proxy_ip or ip");
                return Err(self.refuse(Refusal::lasting(Cause::UnreadableAddress)));
            }
        };
        if !self.config.publishers.contains(addr.ip()) {
            match forwarded {
                None => warn!(remoteIp = %peer, "untrusted ip"),
                Some(addr) => warn!(remoteIp = %peer, forwardedIp = %addr, "untrusted proxy_ip or ip"),
            }
            return Err(self.refuse(Refusal::lasting(Cause::UntrustedAddress)));
        }
        Ok(Client { peer, addr, forwarded, limited: true })
    }

    fn origin(&self, peer: PeerAddr, headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
        match self.config.origins.judge(headers) {
            RequestOrigin::Absent => Ok(None),
            RequestOrigin::Allowed(origin) => Ok(Some(origin.clone())),
            RequestOrigin::Foreign => {
                let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).map(excerpt);
                warn!(remoteIp = %peer, origin, "foreign origin");
                Err(self.refuse(Refusal::lasting(Cause::ForeignOrigin)))
            }
        }
    }

    fn is_exempt(&self, addr: ClientAddr) -> bool {
        self.config.exempt.contains(addr.ip())
    }

    fn seat(&self, client: Client) -> Result<Seat, Refusal> {
        if let Some(limiter) = self.sessions.as_ref().filter(|_| client.limited) {
            limiter.check(&client.addr.limit_key()).map_err(|wait| Refusal::passing(Cause::AddressRate, wait))?;
        }
        self.seats.take(client).map_err(|cause| Refusal::passing(cause, FULL_WAIT))
    }

    /// The rooms that a subscriber may join: those it asks for, unless its token says otherwise.
    fn rooms(&self, claim: &Claim<'_>) -> Result<Vec<RoomName>, Cause> {
        let shown = claim.auth.and_then(|auth| auth.get("token")).and_then(Value::as_str).unwrap_or_default();
        let now = self.clock.now();
        match (&self.config.auth.token, &self.config.auth.jwt) {
            (None, None) => rooms::asked_for(claim),
            (Some(daily), None) if token::check(daily, now, shown) => rooms::asked_for(claim),
            // The daily token is every user's, and where users have tokens of their own it opens nobody's room.
            (Some(daily), Some(_)) if token::looks_daily(shown) && token::check(daily, now, shown) => {
                rooms::asked_for(claim).map(|_| Vec::new())
            }
            (_, Some(jwt)) => {
                let own = jwt.room(shown, now).ok_or(Cause::InvalidToken)?;
                let asked_for = rooms::asked_for(claim)?;
                asked_for.iter().all(|room| *room == own).then(|| vec![own]).ok_or(Cause::InvalidToken)
            }
            (Some(_), None) => Err(Cause::InvalidToken),
        }
    }

    /// What the limit for users counts of a subscriber. A nameless one is counted by its address, if that is known.
    fn user_keys(&self, client: Client, rooms: &[RoomName]) -> Vec<UserKey> {
        if self.users.is_none() || self.is_exempt(client.addr) {
            return Vec::new();
        }
        match rooms {
            [] if client.limited => vec![UserKey::Address(client.addr.limit_key())],
            named => named.iter().cloned().map(UserKey::Room).collect(),
        }
    }

    /// Whether a user's session that comes too early is refused, and does not wait.
    fn refuses_the_early(&self) -> bool {
        matches!(self.config.rates, Some(RateConfig { per_user: UserRate::OneOrRefused, .. }))
    }

    fn refuse(&self, refusal: Refusal) -> Refusal {
        self.stats.refusals(refusal.cause).inc();
        refusal
    }
}

impl<C> Admission for Gate<C>
where
    C: governor::clock::Clock + Clone + Send + Sync + 'static,
{
    fn browser(&self, peer: PeerAddr, headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
        self.origin(peer, headers)
    }

    fn client(&self, peer: PeerAddr, headers: &HeaderMap) -> Client {
        let (addr, forwarded) = match origination(peer, headers, self.config.proxy.as_ref()) {
            Origination::Peer(addr) => (addr, None),
            Origination::Forwarded(addr) => (addr, Some(addr)),
            Origination::UntrustedProxy | Origination::Unreadable => (peer.into(), None),
            Origination::Missing => {
                // All who come through this proxy would share one address and its limits.
                if self.headerless.is_due() {
                    warn!(remoteIp = %peer, "a trusted proxy sends no client address: its clients have no address limit");
                }
                return Client { peer, addr: peer.into(), forwarded: None, limited: false };
            }
        };
        Client { peer, addr, forwarded, limited: !self.is_exempt(addr) }
    }

    fn open(&self, client: Client) -> Result<Seat, Refusal> {
        self.seat(client).map_err(|refusal| {
            let cause = refusal.cause.label();
            let message =
                if refusal.cause == Cause::AddressRate { "rate limit block" } else { "no place for a session" };
            warn!(remoteIp = %client.peer, forwardedIp = forwarded(client), cause, "{message}");
            self.refuse(refusal)
        })
    }

    fn connect(&self, claim: Claim<'_>) -> Result<Grant, Refusal> {
        let client = claim.client;
        let asked_for = claim.query_rooms.first().map(|room| excerpt(room));
        let rooms = self.rooms(&claim).map_err(|cause| {
            let message = if cause == Cause::InvalidToken { "auth token error" } else { "invalid room" };
            warn!(remoteIp = %client.peer, forwardedIp = forwarded(client), uniqueUserId = asked_for, "{message}");
            self.refuse(Refusal::lasting(cause))
        })?;
        if rooms.is_empty() && self.roomless.is_due() {
            let message = match &self.config.auth.jwt {
                Some(_) => "connected with the daily token, which opens no room where users have tokens of their own",
                None => "connected without uniqueUserId: hears nothing",
            };
            warn!(remoteIp = %client.peer, forwardedIp = forwarded(client), "{message}");
        }
        let users = self.user_keys(client, &rooms);
        if !self.refuses_the_early() {
            return Ok(Grant { rooms, users });
        }
        users.iter().try_for_each(|user| self.turn(user)).map_err(|wait| {
            warn!(remoteIp = %client.peer, forwardedIp = forwarded(client), uniqueUserId = asked_for, "rate limit block");
            self.refuse(Refusal::passing(Cause::UserRate, wait))
        })?;
        Ok(Grant { rooms, users: Vec::new() })
    }

    fn turn(&self, user: &UserKey) -> Result<(), Duration> {
        self.users.as_ref().map_or(Ok(()), |limiter| limiter.check(user))
    }
}

/// What a proxy reported, for a log line.
fn forwarded(client: Client) -> Option<DisplayValue<ClientAddr>> {
    client.forwarded.map(display)
}

/// The beginning of a client's text, for a log line.
fn excerpt(text: &str) -> &str {
    text.get(..text.floor_char_boundary(EXCERPT_BYTES)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
