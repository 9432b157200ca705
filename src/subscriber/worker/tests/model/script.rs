//! What happens under one seed.

use std::fmt;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::subscriber::config::{QueuePolicy, SLICE};

/// The rooms that are joined and published to.
pub(super) const ROOMS: [&str; 3] = ["a", "b", "c"];

/// Steps of one script.
const STEPS: usize = 60;

/// One thing that happens. A client is named by a number of any size: it is one of those that there are.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A session is opened over polling, or over a websocket whose pipe holds so many bytes.
    Open { worker: u16, rooms: Vec<usize>, pipe: Option<usize> },
    /// A client joins its rooms.
    Connect(usize),
    /// A client leaves them.
    Leave(usize),
    /// So many events in a row, of so many bytes each.
    Publish { room: usize, count: u64, bytes: usize },
    /// A client takes nothing any more, but may answer pings all the same.
    Stall { client: usize, pongs: bool },
    /// It does again.
    Resume(usize),
    /// A client takes this much, and answers nothing.
    Sip { client: usize, bytes: usize },
    /// A client closes the session by a packet.
    Close(usize),
    /// A client is gone.
    HangUp(usize),
    /// A client breaks the protocol.
    Garble(usize),
    /// A client sends any bytes: over a websocket as a frame that begins with `first`, or as they are.
    Send { client: usize, first: Option<u8>, bytes: Vec<u8> },
    /// A client opens a websocket to change to.
    Upgrade { client: usize, pipe: usize },
    /// It goes on with it.
    Probe(usize),
    /// It gives it up.
    Abandon(usize),
    /// Everybody does what is to be done, and then the contract is checked.
    Settle,
    /// Time goes by.
    Wait { millis: u64 },
}

/// The node, and what happens on it.
pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) workers: u16,
    pub(super) policy: QueuePolicy,
    /// What one worker's inbox holds.
    pub(super) inbox_bytes: usize,
    /// Members that are served before others have their turn.
    pub(super) slice: usize,
    /// What all clients may be owed together.
    pub(super) node_bytes: u64,
    pub(super) steps: Vec<Step>,
}

impl Script {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let workers = random.random_range(1..=3);
        let policy = if random.random_bool(0.3) { QueuePolicy::DropOldest } else { QueuePolicy::Disconnect };
        let inbox_bytes = random.random_range(3_000..40_000);
        let opened: Vec<_> = (0..random.random_range(1..6)).flat_map(|_| opening(&mut random, workers)).collect();
        let steps = (0..STEPS).map(|_| step(&mut random, workers));
        let steps = opened.into_iter().chain(steps).collect();
        // Of a generator of its own: what happens under a seed is what it was before there were slices.
        let mut random = StdRng::seed_from_u64(!seed);
        let slice = [SLICE, 1, 2, 3][random.random_range(0..4)];
        let node_bytes = if random.random_bool(0.3) { random.random_range(4_000..20_000) } else { u64::MAX };
        Self { seed, workers, policy, inbox_bytes, slice, node_bytes, steps }
    }
}

fn opening(random: &mut StdRng, workers: u16) -> [Step; 2] {
    [open(random, workers), Step::Connect(usize::MAX)]
}

fn open(random: &mut StdRng, workers: u16) -> Step {
    let rooms = (0..ROOMS.len()).filter(|_| random.random_bool(0.6)).collect();
    let pipe = random.random_bool(0.5).then(|| random.random_range(32..2_048));
    Step::Open { worker: random.random_range(0..workers), rooms, pipe }
}

fn step(random: &mut StdRng, workers: u16) -> Step {
    let client = random.random_range(0..1_000);
    match random.random_range(0..100) {
        0..6 => open(random, workers),
        6..14 => Step::Connect(client),
        14..17 => Step::Leave(client),
        17..47 => {
            let (room, count) = (random.random_range(0..ROOMS.len()), random.random_range(1..5));
            Step::Publish { room, count, bytes: random.random_range(0..800) }
        }
        47..53 => Step::Stall { client, pongs: random.random_bool(0.5) },
        53..59 => Step::Resume(client),
        59..63 => Step::Sip { client, bytes: random.random_range(1..1_500) },
        63 => Step::Close(client),
        64 => Step::HangUp(client),
        65 => Step::Garble(client),
        66..73 => Step::Upgrade { client, pipe: random.random_range(32..2_048) },
        73..80 => Step::Probe(client),
        80 => Step::Abandon(client),
        81..92 => Step::Settle,
        _ => Step::Wait { millis: random.random_range(1..40_000) },
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, workers, policy, inbox_bytes, slice, node_bytes, steps } = self;
        writeln!(f, "seed {seed}: {workers} workers, {policy:?}, inboxes of {inbox_bytes} bytes, slices of {slice}")?;
        writeln!(f, "no more than {node_bytes} bytes owed")?;
        steps.iter().enumerate().try_for_each(|(index, step)| writeln!(f, "{index:3} {step:?}"))
    }
}
