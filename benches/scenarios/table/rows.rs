//! The rows of the table: which figure of which scenario, and what it should be.

/// What a figure of ours should be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// It is told, and not judged.
    None,
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// No more than so many times the floor's.
    OfFloor(f64),
    /// No more than so many times another figure of the floor's.
    OfFloorIn(&'static str, f64),
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The scenario that measures it.
    pub(super) scenario: &'static str,
    /// The figure's name there.
    pub(super) figure: &'static str,
    /// What it is called in the table, with its unit.
    pub(super) label: &'static str,
    /// What it should be.
    pub(super) target: Target,
}

const fn row(scenario: &'static str, figure: &'static str, label: &'static str, target: Target) -> Row {
    Row { scenario, figure, label, target }
}

/// All rows.
pub(super) const ROWS: [Row; 27] = [
    row("memory", "connection_kib", "a TLS connection, KiB", Target::AtMost(8.0)),
    row("memory", "connect_ms", "CPU of a connect, ms", Target::OfFloor(1.3)),
    row("memory-plain", "connection_kib", "a plain connection, KiB", Target::AtMost(3.0)),
    // Half of what a full handshake may cost.
    row("resumed", "resumed_ms", "CPU of a resumed connect, ms", Target::OfFloorIn("full_ms", 0.65)),
    row("resumed", "full_ms", "CPU of a full one, ms", Target::OfFloor(1.3)),
    row("resumed", "resumed_percent", "resumed of those that could, %", Target::AtLeast(99.0)),
    row("fan-out-open", "delivery_us", "CPU a delivery, us", Target::OfFloor(1.1)),
    row("fan-out-open", "p50_ms", "latency p50, ms", Target::None),
    row("fan-out-open", "p99_ms", "latency p99, ms", Target::OfFloor(1.2)),
    row("fan-out-saturated", "delivery_us", "CPU a delivery, us", Target::OfFloor(0.4)),
    row("fan-out-saturated", "deliveries_per_s", "deliveries a second", Target::None),
    row("unicast-saturated", "delivery_us", "CPU a publish, us", Target::OfFloor(1.25)),
    row("unicast-saturated", "publishes_per_s", "publishes a second", Target::None),
    row("burst", "before_mib", "memory before, MiB", Target::None),
    row("burst", "peak_mib", "memory at its peak, MiB", Target::None),
    row("burst", "kept", "memory after 30 s to before", Target::AtMost(1.1)),
    row("stalled", "p99_ms", "latency p99 of who reads, ms", Target::None),
    row("stalled", "p99_to_without", "the same to without", Target::AtMost(2.0)),
    row("stalled", "lost", "events lost", Target::AtMost(0.0)),
    row("stalled", "closed", "readers closed", Target::None),
    row("stalled", "growth_mib", "memory growth, MiB", Target::None),
    row("stalled", "growth_to_bound", "the same to what it may be", Target::AtMost(1.0)),
    row("two-workers", "one_worker_us", "CPU a delivery, one, us", Target::None),
    row("two-workers", "two_to_one", "CPU a delivery, two to one", Target::AtMost(1.1)),
    row("two-workers", "two_to_one_saturated", "the same, saturated", Target::None),
    row("two-workers", "load_share_saturated", "the load's core then", Target::None),
    row("large-crowd", "above_idle_mib", "15,000 above idle, MiB", Target::AtMost(130.0)),
];
