//! Percentiles as they stand in the JSON, and the table's words.

use hdrhistogram::Histogram;

use super::{Latency, per, rate};

#[test]
fn percentiles_of_known_latencies_come_out_in_milliseconds() {
    let mut nanoseconds = Histogram::new_with_bounds(1000, 3_600_000_000_000, 3).unwrap();
    assert_eq!(Latency::of(&nanoseconds), None);
    for microseconds in 1..=1000u64 {
        nanoseconds.record(microseconds * 1000).unwrap();
    }
    let json = serde_json::to_value(Latency::of(&nanoseconds)).unwrap();
    for (name, expected) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)] {
        let found = json[name].as_f64().unwrap();
        assert!((found - expected).abs() <= expected * 0.002, "{name}: {found}");
    }
}

#[test]
fn nothing_is_divided_by_nothing() {
    assert_eq!((per(1.0, 0.0), rate(5, 0.0)), (None, 0.0));
    assert_eq!((per(1.0, 3.0), rate(10, 4.0)), (Some(0.333), 2.5));
}
