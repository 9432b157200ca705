//! The hub: a publication into the inboxes of one, two or eight workers, and members that come and go.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use roomcast::hub::Hub;
use roomcast::types::{EventName, Publication, RoomName, Stats};
use serde_json::value::to_raw_value;

const WORKERS: [usize; 3] = [1, 2, 8];
/// Rooms that have members already.
const ROOMS: usize = 10_000;
/// Enough to take all that waits in an inbox.
const TAKE_BYTES_MAX: usize = 1 << 20;

fn deliver(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("deliver and take");
    for workers in WORKERS {
        let hub = hub(workers);
        let room = room(0);
        let members: Vec<_> = (0..workers).map(|worker| hub.join(worker, std::slice::from_ref(&room))).collect();
        group.bench_function(BenchmarkId::new("workers", workers), |bencher| {
            bencher.iter_batched(
                || publication(&room),
                |publication| {
                    let delivered = hub.deliver(black_box(publication));
                    let inboxes = (0..workers).filter_map(|worker| hub.inbox(worker));
                    let taken: usize = inboxes.map(|inbox| inbox.take(TAKE_BYTES_MAX).len()).sum();
                    assert_eq!(taken, workers);
                    delivered
                },
                BatchSize::SmallInput,
            );
        });
        drop(members);
    }
}

fn join_and_leave(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("join and leave");
    for workers in WORKERS {
        let hub = hub(workers);
        let members: Vec<_> = (0..ROOMS).map(|number| hub.join(number % workers, &[room(number)])).collect();
        for (name, number) in [("a room that has members", 0), ("a room of its own", ROOMS)] {
            let rooms = [room(number)];
            group.bench_function(BenchmarkId::new(name, workers), |bencher| {
                bencher.iter(|| hub.join(0, black_box(&rooms)));
            });
        }
        drop(members);
    }
}

fn hub(workers: usize) -> Arc<Hub> {
    Hub::new(workers, Arc::new(Stats::default()))
}

fn room(number: usize) -> RoomName {
    let name = RoomName::new(&format!("{number:08x}-0000-4000-8000-{number:012x}"));
    name.unwrap_or_else(|error| unreachable!("{error}"))
}

fn publication(room: &RoomName) -> Publication {
    let payload = to_raw_value("an event of some bytes, as many as most have: about sixty or so");
    let payload = payload.unwrap_or_else(|error| unreachable!("{error}")).into();
    Publication { room: room.clone(), event: EventName::from(room), payload }
}

criterion_group!(hubs, deliver, join_and_leave);
criterion_main!(hubs);
