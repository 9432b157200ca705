//! Publishes to one large room, or to many small ones.

use super::{DATA_BYTES, FAN_OUT, Figures, Stage, one_room, own_rooms, publishing};
use crate::load::{Connecting, Published};
use crate::pin::Place;
use crate::server::Setup;

/// Publishers of small rooms.
const UNICAST_PUBLISHERS: usize = 16;
/// One subscriber in so many reads nothing.
const STALLED: usize = 10;
/// Bytes of an event's data where some read nothing: those wait for more than `CLIENT_QUEUE_MAX_BYTES` in the end.
const STALLED_DATA_BYTES: usize = 4 << 10;
/// Bytes of a segment there, as they are in an Ethernet. By the loopback device's own segments of 64 KiB the kernel would keep
/// megabytes for each, and nothing were left to wait in the server.
const STALLED_MSS: u32 = 1_448;
/// `CLIENT_QUEUE_MAX_BYTES` as it comes: what the gateway keeps for one of them at most.
const QUEUE_BYTES_MAX: f64 = 1_048_576.0;

/// At a rate at which everybody keeps up.
pub(super) fn open(stage: &Stage<'_>) -> anyhow::Result<Figures> {
    one_large_room(stage, Setup::USUAL, Some(FAN_OUT.1)).map(figures)
}

/// As fast as the answers come.
pub(super) fn saturated(stage: &Stage<'_>) -> anyhow::Result<Figures> {
    one_large_room(stage, Setup::USUAL, None).map(figures)
}

fn one_large_room(stage: &Stage<'_>, setup: Setup, rate: Option<f64>) -> anyhow::Result<Published> {
    let server = stage.start(setup)?;
    let mut load = stage.load(&server)?;
    load.connect(&one_room(stage.sizes.members, FAN_OUT.0))?;
    load.linger(stage.sizes.settle)?;
    let time = if rate.is_some() { stage.sizes.publish_at_rate } else { stage.sizes.publish };
    load.publish(&publishing(rate, time, DATA_BYTES))
}

fn figures(published: Published) -> Figures {
    let mut figures = Figures::default();
    figures.publishing(&published);
    figures
}

/// To rooms of one member each, as fast as the answers come.
pub(super) fn unicast(stage: &Stage<'_>) -> anyhow::Result<Figures> {
    let server = stage.start(Setup::USUAL)?;
    let mut load = stage.load(&server)?;
    load.connect(&own_rooms(stage.sizes.members, UNICAST_PUBLISHERS))?;
    load.linger(stage.sizes.settle)?;
    load.publish(&publishing(None, stage.sizes.publish, DATA_BYTES)).map(figures)
}

/// All read; then some do not, and then they read again.
pub(super) fn stalled(stage: &Stage<'_>) -> anyhow::Result<Figures> {
    let server = stage.start(Setup::USUAL)?;
    let mut load = stage.load(&server)?;
    load.connect(&Connecting { mss: Some(STALLED_MSS), ..one_room(stage.sizes.members, FAN_OUT.0) })?;
    load.linger(stage.sizes.settle)?;
    let all_read = load.publish(&publishing(Some(FAN_OUT.1), stage.sizes.publish_at_rate, STALLED_DATA_BYTES))?;
    let before = server.usage()?;
    let stalled = load.stall(STALLED);
    let some_read = load.publish(&publishing(Some(FAN_OUT.1), stage.sizes.stall, STALLED_DATA_BYTES))?;
    let unstalled = load.unstall()?;
    let mut figures = figures(some_read);
    let growth_kib = some_read.rss_peak_kib - before.rss_kib;
    figures.lost += all_read.lost + unstalled.missed;
    figures.set("lost", figures.lost as f64);
    figures.set("p99_without_ms", all_read.p99_ms);
    figures.set("p99_to_without", some_read.p99_ms / all_read.p99_ms);
    figures.set("growth_mib", growth_kib / 1024.0);
    figures.set("growth_to_caps", growth_kib * 1024.0 / (stalled as f64 * QUEUE_BYTES_MAX));
    figures.set("closed", unstalled.closed as f64);
    Ok(figures)
}

/// One worker, then two, wherever there is time: there are as many cores as workers, and the load wants one too. It is judged
/// at a rate. Saturated, a figure tells mostly how much left in one write, and how much the load could take.
pub(super) fn two_workers(stage: &Stage<'_>) -> anyhow::Result<Figures> {
    let play = |workers, rate| one_large_room(stage, Setup { workers, place: Place::Anywhere, ..Setup::USUAL }, rate);
    let (one, two) = (play(1, Some(FAN_OUT.1))?, play(2, Some(FAN_OUT.1))?);
    let (one_saturated, two_saturated) = (play(1, None)?, play(2, None)?);
    let delivery_us = |published: &Published| published.cpu_s * 1e6 / published.deliveries as f64;
    let mut figures = figures(two);
    figures.lost += one.lost + one_saturated.lost + two_saturated.lost;
    figures.set("lost", figures.lost as f64);
    figures.set("load_share", one.load_share().max(two.load_share()));
    figures.set("one_worker_us", delivery_us(&one));
    figures.set("two_to_one", delivery_us(&two) / delivery_us(&one));
    figures.set("one_worker_saturated_us", delivery_us(&one_saturated));
    figures.set("two_to_one_saturated", delivery_us(&two_saturated) / delivery_us(&one_saturated));
    figures.set("load_share_saturated", one_saturated.load_share().max(two_saturated.load_share()));
    Ok(figures)
}
