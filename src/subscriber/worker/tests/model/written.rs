//! A script spelled out in bytes: a fuzzer changes one step by changing one of them.
//!
//! Four bytes tell of the node. Each step is a byte that names it and the few that it needs; bytes that are missing are
//! zero, and a number that is too large comes round.

use super::script::{ROOMS, Script, Step};
use crate::subscriber::config::{QueuePolicy, SLICE};

/// Steps that there are, the likelier ones twice.
const STEPS: u8 = 19;

/// Steps that are played of one script.
const STEPS_MAX: usize = 100;

impl Script {
    /// Reads a script of any bytes. Somebody is always there.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut bytes = Bytes(bytes);
        let workers = 1 + u16::from(bytes.next() % 3);
        let policy = if bytes.next().is_multiple_of(2) { QueuePolicy::Disconnect } else { QueuePolicy::DropOldest };
        let inbox_bytes = 3_000 + 150 * usize::from(bytes.next());
        let seed = u64::from(bytes.next());
        let slice = if seed < 64 { SLICE } else { 1 + seed as usize % 3 };
        let node_bytes = if seed % 8 == 7 { 4_000 + 100 * seed } else { u64::MAX };
        let mut steps = vec![open(&mut bytes, workers), Step::Connect(usize::MAX)];
        while !bytes.0.is_empty() && steps.len() < STEPS_MAX {
            steps.push(step(&mut bytes, workers));
        }
        Self { seed, workers, policy, inbox_bytes, slice, node_bytes, steps }
    }
}

fn open(bytes: &mut Bytes<'_>, workers: u16) -> Step {
    let worker = u16::from(bytes.next()) % workers;
    let rooms = bytes.next();
    let pipe = (rooms & 0x80 != 0).then(|| 32 + 8 * usize::from(bytes.next()));
    Step::Open { worker, rooms: (0..ROOMS.len()).filter(|room| rooms >> room & 1 == 1).collect(), pipe }
}

fn step(bytes: &mut Bytes<'_>, workers: u16) -> Step {
    let name = bytes.next();
    if name.is_multiple_of(STEPS) {
        return open(bytes, workers);
    }
    let of = bytes.next();
    let client = usize::from(of);
    match name % STEPS {
        1 | 2 => Step::Connect(client),
        3 => Step::Leave(client),
        4 | 5 => Step::Publish {
            room: client % ROOMS.len(),
            count: 1 + u64::from(of / 64),
            bytes: 4 * usize::from(bytes.next()),
        },
        6 => Step::Stall { client, pongs: bytes.next().is_multiple_of(2) },
        7 => Step::Resume(client),
        8 => Step::Sip { client, bytes: 1 + 6 * usize::from(bytes.next()) },
        9 => Step::Close(client),
        10 => Step::HangUp(client),
        11 => Step::Upgrade { client, pipe: 32 + 8 * usize::from(bytes.next()) },
        12 => Step::Probe(client),
        13 => Step::Abandon(client),
        14 => Step::Settle,
        15 => Step::Wait { millis: 1 + 160 * u64::from(of) },
        16 => Step::Send { client, first: Some(0x81), bytes: bytes.some() },
        17 => Step::Send { client, first: Some(bytes.next()), bytes: bytes.some() },
        _ => Step::Send { client, first: None, bytes: bytes.some() },
    }
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    /// As many as the next one says, fewer than a long frame has.
    fn some(&mut self) -> Vec<u8> {
        let length = usize::from(self.next() % 126).min(self.0.len());
        self.0.split_off(..length).unwrap_or_default().to_vec()
    }
}
