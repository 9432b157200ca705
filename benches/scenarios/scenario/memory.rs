//! Connects and what a connection costs, idle and after a burst.

use super::{Figures, Stage, one_room, own_rooms, publishing};
use crate::certificate;
use crate::load::{Connected, Connecting, Load};
use crate::server::Setup;

/// Connects under way at a time where sessions are resumed: no more than the tickets that rustls keeps.
const RESUMED_AT_ONCE: usize = 4;
/// Bytes of an event of a burst, publishers of it, and publishes a second.
const BURST: (usize, usize, f64) = (64 << 10, 2, 2.0);

/// An idle crowd, and what its handshakes cost.
pub(super) fn tls(stage: &Stage<'_>) -> anyhow::Result<Figures> {
    idle(stage, Setup::USUAL, stage.sizes.crowd)
}

/// An idle crowd without TLS.
pub(super) fn plain(stage: &Stage<'_>) -> anyhow::Result<Figures> {
    idle(stage, Setup { tls: false, ..Setup::USUAL }, stage.sizes.crowd)
}

/// As many as a process may have.
pub(super) fn large_crowd(stage: &Stage<'_>) -> anyhow::Result<Figures> {
    idle(stage, Setup::USUAL, stage.sizes.large_crowd)
}

fn idle(stage: &Stage<'_>, setup: Setup, subscribers: usize) -> anyhow::Result<Figures> {
    let server = stage.start(setup)?;
    let mut load = if setup.tls { stage.load(&server)? } else { Load::new(&server, None)? };
    let connected = load.connect(&own_rooms(subscribers, 1))?;
    let settled = load.linger(stage.sizes.settle)?;
    let above_idle_kib = settled.rss_kib - server.idle.rss_kib;
    let mut figures = Figures::default();
    figures.set("idle_mib", server.idle.rss_kib / 1024.0);
    figures.set("connection_kib", above_idle_kib / subscribers as f64);
    figures.set("above_idle_mib", above_idle_kib / 1024.0);
    figures.set("connect_ms", connected.cpu_ms);
    figures.set("connects_per_s", connected.per_second);
    Ok(figures)
}

/// Connects of clients that have been there before, and of others, each with a server of its own.
pub(super) fn resumed(stage: &Stage<'_>) -> anyhow::Result<Figures> {
    let (full, resumed) = (connects(stage, false)?, connects(stage, true)?);
    let mut figures = Figures::default();
    figures.set("full_ms", full.cpu_ms);
    figures.set("resumed_ms", resumed.cpu_ms);
    // The first ones have no ticket yet.
    let could_resume = stage.sizes.crowd - RESUMED_AT_ONCE;
    figures.set("resumed_percent", 100.0 * resumed.resumed as f64 / could_resume as f64);
    Ok(figures)
}

fn connects(stage: &Stage<'_>, resumes: bool) -> anyhow::Result<Connected> {
    let server = stage.start(Setup::USUAL)?;
    let mut load = Load::new(&server, Some(certificate::client(&stage.starter.folder, resumes)?))?;
    load.connect(&Connecting { at_once: RESUMED_AT_ONCE, ..own_rooms(stage.sizes.crowd, 1) })
}

/// Large events for everybody, and what is left of them in memory.
pub(super) fn burst(stage: &Stage<'_>) -> anyhow::Result<Figures> {
    let (data_bytes, publishers, rate) = BURST;
    let server = stage.start(Setup::USUAL)?;
    let mut load = stage.load(&server)?;
    load.connect(&one_room(stage.sizes.crowd, publishers))?;
    let before = load.linger(stage.sizes.settle)?;
    let published = load.publish(&publishing(Some(rate), stage.sizes.burst, data_bytes))?;
    let after = load.linger(stage.sizes.give_back)?;
    let mut figures = Figures::default();
    figures.publishing(&published);
    figures.set("before_mib", before.rss_kib / 1024.0);
    figures.set("peak_mib", published.rss_peak_kib / 1024.0);
    figures.set("after_mib", after.rss_kib / 1024.0);
    figures.set("kept", after.rss_kib / before.rss_kib);
    Ok(figures)
}
