//! What is heard, what is held back, and that both are counted.

use std::io;
use std::sync::{Mutex, PoisonError};

use chrono::DateTime;
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

use super::super::format::Style;
use super::*;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that `emit` logs at `level`, and the numbers they leave.
fn logged(level: LevelFilter, emit: impl FnOnce()) -> (Vec<Value>, Arc<Stats>) {
    let captured = Captured::default();
    let (writer, stats) = (captured.clone(), Arc::new(Stats::default()));
    let lines = LineLayer {
        format: Format::new(Style::Json, DateTime::UNIX_EPOCH),
        clock: Clock::from_fn(|| DateTime::UNIX_EPOCH),
        flood: FloodLimit::default(),
        writer: move || writer.clone(),
        stats: stats.clone(),
    };
    tracing::subscriber::with_default(registry().with(filter(level)).with(lines), emit);
    let bytes = captured.0.lock().unwrap();
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| serde_json::from_slice(line).unwrap());
    (lines.collect(), stats)
}

fn messages(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["message"].as_str().unwrap()).collect()
}

fn speak_at_all_levels() {
    tracing::error!("our error");
    tracing::warn!("our warning");
    tracing::info!("our info");
    tracing::debug!("our debug");
    tracing::trace!("our trace");
    tracing::error!(target: "hyper", "their error");
    tracing::warn!(target: "hyper::proto", "their warning");
    tracing::info!(target: "h2", "their info");
    tracing::debug!(target: "rustls", "their debug, with a key");
    tracing::trace!(target: "some_library", "their trace, with a body");
}

#[test]
fn at_trace_libraries_are_still_not_heard_below_warn() {
    let (lines, _) = logged(LevelFilter::TRACE, speak_at_all_levels);
    let ours = ["our error", "our warning", "our info", "our debug", "our trace"];
    assert_eq!(messages(&lines), [&ours[..], &["their error", "their warning"]].concat());
}

#[test]
fn a_level_above_warn_counts_for_libraries_too() {
    let (lines, _) = logged(LevelFilter::ERROR, speak_at_all_levels);
    assert_eq!(messages(&lines), ["our error", "their error"]);
    assert!(logged(LevelFilter::OFF, speak_at_all_levels).0.is_empty());
}

#[test]
fn a_flood_is_cut_counted_and_leaves_other_places_alone() {
    let offered = 5000;
    let (lines, stats) = logged(LevelFilter::INFO, || {
        for n in 0..offered {
            tracing::warn!(n, "flood");
        }
        tracing::info!("elsewhere");
    });
    let floods = messages(&lines).into_iter().filter(|message| *message == "flood").count() as u64;
    assert!(floods >= 100, "{floods} is less than the burst");
    assert_eq!(floods + stats.log_lines_dropped.get(), offered, "every line is written or counted");
    assert_eq!(messages(&lines).last(), Some(&"elsewhere"));
    let told: u64 = lines.iter().filter_map(|line| line["suppressed"].as_u64()).sum();
    assert!(told <= stats.log_lines_dropped.get());
}

#[test]
fn the_names_of_our_modules_are_targets_of_this_crate() {
    assert!(module_path!().starts_with(concat!(env!("CARGO_CRATE_NAME"), "::")));
    assert!(filter(LevelFilter::INFO).would_enable("roomcast::hub", &tracing::Level::INFO));
}
