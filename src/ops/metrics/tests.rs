//! Every number of `Stats` has its family, every family its help and type, and every label value stands from the start.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeZone;

use super::*;

fn metrics() -> (Arc<Stats>, Metrics) {
    let stats = Arc::new(Stats::default());
    (stats.clone(), Metrics::new(stats, Utc.timestamp_millis_opt(1_700_000_000_250).unwrap()))
}

/// The samples by name and labels.
fn samples(metrics: &Metrics) -> BTreeMap<String, f64> {
    let text = metrics.render().unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (key, value) = line.rsplit_once(' ').unwrap();
        (key.to_owned(), value.parse().unwrap())
    });
    samples.collect()
}

/// The samples of `roomcast_` and `ws_` that `count` changes, with their new values.
fn moved_by(count: impl FnOnce(&Stats)) -> Vec<(String, f64)> {
    let (stats, metrics) = metrics();
    let before = samples(&metrics);
    count(&stats);
    let after = samples(&metrics);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "no series comes or goes");
    after.into_iter().filter(|(key, value)| !key.starts_with("process_") && before[key] != *value).collect()
}

fn one(key: &str, value: f64) -> Vec<(String, f64)> {
    vec![(key.to_owned(), value)]
}

#[test]
fn each_counter_moves_its_own_family() {
    assert_eq!(moved_by(|stats| stats.publishes.add(3)), one("roomcast_publishes_total", 3.0));
    assert_eq!(moved_by(|stats| stats.deliveries.add(4)), one("roomcast_deliveries_total", 4.0));
    assert_eq!(moved_by(|stats| stats.undelivered.inc()), one("roomcast_undelivered_total", 1.0));
    assert_eq!(moved_by(|stats| stats.accept_errors.inc()), one("roomcast_accept_errors_total", 1.0));
    assert_eq!(moved_by(|stats| stats.log_lines_dropped.add(9)), one("roomcast_log_lines_dropped_total", 9.0));
    for cause in Cause::ALL {
        let key = format!("roomcast_refusals_total{{cause=\"{}\"}}", cause.label());
        assert_eq!(moved_by(|stats| stats.refusals(cause).add(2)), one(&key, 2.0));
    }
    for reason in CloseReason::ALL {
        let key = format!("roomcast_session_closes_total{{reason=\"{}\"}}", reason.label());
        assert_eq!(moved_by(|stats| stats.closes(reason).inc()), one(&key, 1.0));
    }
}

#[test]
fn each_gauge_moves_its_own_family_up_and_down() {
    let (stats, metrics) = metrics();
    let value = |key: &str| samples(&metrics)[key];
    let guards = [stats.sockets.enter(), stats.sockets.enter(), stats.sockets.enter()];
    assert_eq!((value("roomcast_sockets"), value("roomcast_sessions")), (3.0, 0.0));
    let session = stats.sessions.enter();
    assert_eq!((value("roomcast_sessions"), value("roomcast_subscribers")), (1.0, 0.0));
    let subscriber = stats.subscribers.enter();
    assert_eq!((value("roomcast_subscribers"), value("ws_connected_clients")), (1.0, 1.0));
    drop((guards, session, subscriber));
    assert_eq!((value("roomcast_sockets"), value("ws_connected_clients")), (0.0, 0.0));
}

#[test]
fn every_family_has_help_and_type_and_the_text_ends_as_openmetrics_wants() {
    let text = metrics().1.render().unwrap();
    assert!(text.ends_with("\n# EOF\n"));
    let mut types = BTreeMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next().filter(|line| *line != "# EOF") {
        let (family, help) = line.strip_prefix("# HELP ").expect(line).split_once(' ').unwrap();
        assert!(help.ends_with('.'), "{line}");
        let (typed, kind) = lines.next().unwrap().strip_prefix("# TYPE ").unwrap().split_once(' ').unwrap();
        assert_eq!(typed, family);
        assert!(types.insert(family, kind).is_none(), "{family} stands twice");
        if let Some(unit) = lines.next_if(|line| line.starts_with("# UNIT ")) {
            let (_, unit) = unit.rsplit_once(' ').unwrap();
            assert!(family.ends_with(&format!("_{unit}")), "{family} {unit}");
        }
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let mut seen = BTreeSet::new();
        while let Some(sample) = lines.next_if(|line| !line.starts_with('#')) {
            let (key, _) = sample.rsplit_once(' ').unwrap();
            assert_eq!(key.split('{').next(), Some(format!("{family}{suffix}").as_str()));
            assert!(seen.insert(key), "{key} stands twice");
        }
        assert!(!seen.is_empty(), "{family} is empty");
    }
    assert_eq!(types.len(), 18, "{types:?}");
}

#[test]
fn the_names_that_dashboards_use_are_there() {
    let (_, metrics) = metrics();
    let samples = samples(&metrics);
    assert_eq!(samples[concat!("roomcast_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}")], 1.0);
    assert_eq!(samples["roomcast_start_time_seconds"], 1_700_000_000.25);
    for key in [
        "process_open_fds",
        "process_max_fds",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "roomcast_refusals_total{cause=\"invalid_token\"}",
        "roomcast_session_closes_total{reason=\"ping_timeout\"}",
    ] {
        assert!(samples.contains_key(key), "{key}");
    }
}
