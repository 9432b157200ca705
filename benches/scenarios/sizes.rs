//! How large the scenarios are.

use std::time::Duration;

/// Counts and times.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Whether figures mean anything.
    pub is_quick: bool,
    /// Subscribers whose memory is measured, and who connect.
    pub crowd: usize,
    /// As many as one process can take with a limit of 20,000 open files.
    pub large_crowd: usize,
    /// Members of the room that is fanned out to.
    pub members: usize,
    /// How long is published as fast as the answers come.
    pub publish: Duration,
    /// How long is published at a rate: at 30 a second, the slowest hundredth is more than two publishes.
    pub publish_at_rate: Duration,
    /// How long is published while some read nothing: long enough for more to wait than the kernel keeps.
    pub stall: Duration,
    /// Bytes of an event's data there: at 30 a second, the gateway owes more than its `CLIENT_QUEUE_MAX_BYTES` of 1 MiB in
    /// the end to those who read nothing, and closes them.
    pub stall_data_bytes: usize,
    /// How long is published in a burst. All that is published may wait for everybody at a time, and the gateway closes the
    /// slowest where that is more than a quarter of the machine's memory: 5 events of 64 KiB for 5,000 are 1.53 GiB, and
    /// a machine that is sold with 8 GB has at least 7 GiB.
    pub burst: Duration,
    /// Until a burst's memory must have been given back.
    pub give_back: Duration,
    /// Until memory has settled after connects.
    pub settle: Duration,
}

impl Sizes {
    /// Those of the table.
    pub const FULL: Self = Self {
        is_quick: false,
        crowd: 5_000,
        large_crowd: 15_000,
        members: 1_000,
        publish: Duration::from_secs(4),
        publish_at_rate: Duration::from_secs(8),
        stall: Duration::from_secs(18),
        stall_data_bytes: 4 << 10,
        burst: Duration::from_millis(2_500),
        give_back: Duration::from_secs(30),
        settle: Duration::from_secs(1),
    };
    /// Those that show in a minute that everything works.
    pub const QUICK: Self = Self {
        is_quick: true,
        crowd: 200,
        large_crowd: 400,
        members: 100,
        publish: Duration::from_millis(300),
        publish_at_rate: Duration::from_millis(300),
        stall: Duration::from_secs(5),
        stall_data_bytes: 64 << 10,
        burst: Duration::from_millis(1_000),
        give_back: Duration::from_millis(500),
        settle: Duration::from_millis(100),
    };
}
