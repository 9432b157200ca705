//! The splice: what it costs to take the target out of a body and keep the bytes of all else, and the whole of a publish
//! that nobody hears.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use roomcast::hub::Hub;
use roomcast::publish::internals::splice;
use roomcast::publish::{Config, Publisher};
use roomcast::types::Stats;

/// Bytes of a body, about.
const BODY_BYTES: [usize; 3] = [64, 1 << 10, 64 << 10];

fn bodies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("splice a body");
    for bytes in BODY_BYTES {
        let body = body(bytes);
        assert!(splice(&body).is_some_and(|payload| payload.len() + 53 > body.len()), "{body}");
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(bytes), &body, |bencher, body| {
            bencher.iter(|| splice(black_box(body)));
        });
    }
}

fn publishes(criterion: &mut Criterion) {
    let stats = Arc::new(Stats::default());
    let config = Config { target_pattern: None, takes_uuid: false };
    let publisher = Publisher::new(config, Hub::new(1, Arc::clone(&stats)), stats);
    let mut group = criterion.benchmark_group("publish to nobody");
    for bytes in BODY_BYTES {
        let body = body(bytes).into_bytes();
        assert!(publisher.publish(&body).is_ok(), "a body that is measured is a good one");
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(bytes), &body, |bencher, body| {
            bencher.iter(|| publisher.publish(black_box(body)));
        });
    }
}

/// A target, and items of an order until the body is long enough.
fn body(bytes: usize) -> String {
    let mut body = r#"{"target_id":"00000000-0000-4000-8000-000000000000","v":1"#.to_owned();
    let mut item = 0;
    while body.len() < bytes {
        body.push_str(&format!(
            r#","item{item}":{{"name":"tea, \"green\"","price":4.50,"tags":["a","b"],"left":null}}"#
        ));
        item += 1;
    }
    body + "}"
}

criterion_group!(splices, bodies, publishes);
criterion_main!(splices);
