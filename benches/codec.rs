//! Frames and packets: what an event costs to encode once, and what a client's own words cost to read.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use roomcast::subscriber::internals::{decode, encode_text, read_packet};

/// Bytes of an event's data.
const DATA_BYTES: [usize; 3] = [64, 1 << 10, 64 << 10];
const ROOM: &str = "00000000-0000-4000-8000-000000000000";
const MESSAGE_BYTES_MAX: usize = 1_000_000;
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
/// What clients send, from the most frequent to the longest.
const PACKETS: [(&str, &str); 3] = [
    ("pong", "3"),
    ("connect", r#"40{"token":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}"#),
    (
        "event",
        r#"42["message",{"text":"what roomcast reads and does not listen to","numbers":[1,2.5,9007199254740993]}]"#,
    ),
];

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode a frame");
    for bytes in DATA_BYTES {
        let data = "x".repeat(bytes);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_with_input(BenchmarkId::from_parameter(bytes), &data, |bencher, data| {
            bencher.iter(|| encode_text(black_box(&["42[\"", ROOM, "\",\"", data, "\"]"])));
        });
    }
}

fn decode_frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode a frame");
    for bytes in [1].into_iter().chain(DATA_BYTES) {
        let frame = masked(&"x".repeat(bytes));
        assert_eq!(decode(&frame, MESSAGE_BYTES_MAX), Some(1), "a frame that is measured is a good one");
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_with_input(BenchmarkId::from_parameter(bytes), &frame, |bencher, frame| {
            bencher.iter(|| decode(black_box(frame), MESSAGE_BYTES_MAX));
        });
    }
}

fn packets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read a packet");
    for (name, packet) in PACKETS {
        assert!(read_packet(packet), "{packet}");
        group.bench_with_input(BenchmarkId::from_parameter(name), packet, |bencher, packet| {
            bencher.iter(|| read_packet(black_box(packet)));
        });
    }
}

/// A client's text frame, with the long form of the length.
fn masked(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0xFF];
    frame.extend_from_slice(&(text.len() as u64).to_be_bytes());
    frame.extend_from_slice(&MASK);
    frame.extend(text.bytes().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

criterion_group!(codec, encode, decode_frames, packets);
criterion_main!(codec);
