//! The scenarios, and what each of them does with one server.

mod fan_out;
mod memory;

use std::collections::BTreeMap;
use std::time::Duration;

use super::certificate;
use super::load::{Connecting, Load, Published, Publishing};
use super::server::{Kind, Server, Setup, Starter};
use super::sizes::Sizes;

/// Connects under way at a time, where it does not matter.
const AT_ONCE: usize = 64;
/// Bytes of an event's data.
const DATA_BYTES: usize = 64;
/// Publishers of a large room, and publishes a second of all of them, where the rate is given.
const FAN_OUT: (usize, f64) = (4, 30.0);

/// A scenario.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// Whose turn it can be.
    pub servers: &'static [Kind],
    /// Plays it.
    pub play: fn(&Stage<'_>) -> anyhow::Result<Figures>,
}

/// All of them, in the order of the table.
pub const SCENARIOS: [Scenario; 10] = [
    Scenario { name: "memory", servers: &Kind::ALL, play: memory::tls },
    Scenario { name: "memory-plain", servers: &Kind::ALL, play: memory::plain },
    Scenario { name: "resumed", servers: &Kind::ALL, play: memory::resumed },
    Scenario { name: "fan-out-open", servers: &Kind::ALL, play: fan_out::open },
    Scenario { name: "fan-out-saturated", servers: &Kind::ALL, play: fan_out::saturated },
    Scenario { name: "unicast-saturated", servers: &Kind::ALL, play: fan_out::unicast },
    Scenario { name: "burst", servers: &[Kind::Ours, Kind::Oracle], play: memory::burst },
    Scenario { name: "stalled", servers: &[Kind::Ours, Kind::Oracle], play: fan_out::stalled },
    Scenario { name: "two-workers", servers: &[Kind::Ours], play: fan_out::two_workers },
    Scenario { name: "large-crowd", servers: &Kind::ALL, play: memory::large_crowd },
];

/// What a scenario is played with.
pub struct Stage<'a> {
    /// Starts the server.
    pub starter: &'a Starter,
    /// Which server.
    pub kind: Kind,
    /// How large.
    pub sizes: Sizes,
}

impl Stage<'_> {
    fn start(&self, setup: Setup) -> anyhow::Result<Server> {
        self.starter.start(self.kind, setup)
    }

    fn load<'s>(&self, server: &'s Server) -> anyhow::Result<Load<'s>> {
        Load::new(server, Some(certificate::client(&self.starter.folder, false)?))
    }
}

/// What a scenario measured.
#[derive(Debug, Default)]
pub struct Figures {
    /// By name.
    pub values: BTreeMap<&'static str, f64>,
    /// Events that were lost without a word.
    pub lost: u64,
}

impl Figures {
    fn set(&mut self, name: &'static str, value: f64) {
        self.values.insert(name, value);
    }

    /// What every publishing has.
    fn publishing(&mut self, published: &Published) {
        self.lost += published.lost;
        self.set("lost", self.lost as f64);
        self.set("publishes", published.publishes as f64);
        self.set("deliveries", published.deliveries as f64);
        self.set("refused", published.refused as f64);
        self.set("seconds", published.seconds);
        self.set("cpu_s", published.cpu_s);
        self.set("load_cpu_s", published.load_cpu_s);
        self.set("load_share", published.load_share());
        self.set("deliveries_per_s", published.deliveries as f64 / published.seconds);
        self.set("publishes_per_s", published.publishes as f64 / published.seconds);
        self.set("delivery_us", published.cpu_s * 1e6 / published.deliveries as f64);
        self.set("p50_ms", published.p50_ms);
        self.set("p99_ms", published.p99_ms);
    }
}

/// Everybody in one room.
fn one_room(subscribers: usize, publishers: usize) -> Connecting {
    Connecting { subscribers, rooms: 1, publishers, at_once: AT_ONCE, mss: None }
}

/// Each in a room of its own.
fn own_rooms(subscribers: usize, publishers: usize) -> Connecting {
    Connecting { rooms: subscribers, ..one_room(subscribers, publishers) }
}

fn publishing(rate: Option<f64>, time: Duration, data_bytes: usize) -> Publishing {
    Publishing { rate, time, data_bytes }
}
