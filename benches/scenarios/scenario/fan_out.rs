//! Publishes to one large room, or to many small ones.

use anyhow::ensure;

use super::{DATA_BYTES, FAN_OUT, Figures, Stage, one_room, own_rooms, publishing};
use crate::load::{Connecting, Published};
use crate::pin::Place;
use crate::server::{Kind, Setup};

/// Publishers of small rooms.
const UNICAST_PUBLISHERS: usize = 16;
/// One subscriber in so many reads nothing.
const STALLED: usize = 10;
/// Bytes of a segment there, as they are in an Ethernet. By the loopback device's own segments of 64 KiB the kernel would keep
/// megabytes for each, and nothing were left to wait in the server.
const STALLED_MSS: u32 = 1_448;
/// `CLIENT_QUEUE_MAX_BYTES` as it comes, and what an event counts besides its own bytes: what the gateway owes one of them at
/// most before it closes the connection.
const QUEUE_BYTES_MAX: usize = 1_048_576;
const QUEUE_ITEM_BYTES: usize = 64;
/// Memory of an event's place in a queue: a deque that has just doubled has two places of 56 bytes for each.
const PLACE_BYTES_MAX: usize = 112;
/// The largest record of TLS, which a connection keeps when the kernel takes only a part of it (RFC 8446, 5.2).
const RECORD_BYTES_MAX: usize = 5 + (16 << 10) + 256;

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
///
/// # Errors
/// When the gateway closed none of them: then nobody waited in the server for long, and the figures say nothing.
pub(super) fn stalled(stage: &Stage<'_>) -> anyhow::Result<Figures> {
    let data_bytes = stage.sizes.stall_data_bytes;
    let server = stage.start(Setup::USUAL)?;
    let mut load = stage.load(&server)?;
    load.connect(&Connecting { mss: Some(STALLED_MSS), ..one_room(stage.sizes.members, FAN_OUT.0) })?;
    load.linger(stage.sizes.settle)?;
    let all_read = load.publish(&publishing(Some(FAN_OUT.1), stage.sizes.publish_at_rate, data_bytes))?;
    let before = server.usage()?;
    let stalled = load.stall(STALLED);
    let some_read = load.publish(&publishing(Some(FAN_OUT.1), stage.sizes.stall, data_bytes))?;
    let unstalled = load.unstall()?;
    // Only ours is known to close whoever waits for too much.
    let has_stalled = unstalled.closed > 0 || unstalled.missed > 0 || stage.kind != Kind::Ours;
    ensure!(
        has_stalled,
        "none of {stalled} readers was closed, so the kernel kept all or nearly all that they did not read"
    );
    let mut figures = figures(some_read);
    let growth_kib = some_read.rss_peak_kib - before.rss_kib;
    figures.lost += all_read.lost + unstalled.missed;
    figures.set("lost", figures.lost as f64);
    figures.set("p99_without_ms", all_read.p99_ms);
    figures.set("p99_to_without", some_read.p99_ms / all_read.p99_ms);
    figures.set("growth_mib", growth_kib / 1024.0);
    figures.set("growth_to_bound", growth_kib * 1024.0 / memory_bound(stalled, some_read.publishes, data_bytes));
    figures.set("closed", unstalled.closed as f64);
    Ok(figures)
}

/// What so many who stall may cost in all, in bytes: what was published, once for all of them, and for each its places in a
/// queue and the record that was under way.
fn memory_bound(stalled: usize, publishes: u64, data_bytes: usize) -> f64 {
    let places = QUEUE_BYTES_MAX / (data_bytes + QUEUE_ITEM_BYTES) * PLACE_BYTES_MAX;
    publishes as f64 * data_bytes as f64 + (stalled * (places + RECORD_BYTES_MAX)) as f64
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
