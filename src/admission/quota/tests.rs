//! Places: taken once, given back once.

use super::*;
use crate::types::PeerAddr;

fn seats(sessions_max: u64, sessions_per_address_max: Option<u64>) -> (Seats, Stats) {
    let stats = Stats::default();
    let sessions = Arc::clone(&stats.sessions);
    (Seats { sessions, sessions_max, addresses: Arc::default(), sessions_per_address_max }, stats)
}

fn client(ip: &str) -> Client {
    let peer = PeerAddr::new((ip.parse::<IpAddr>().unwrap(), 1).into());
    Client { peer, addr: peer.into(), forwarded: None, limited: true }
}

#[test]
fn the_node_has_so_many_places() {
    let (seats, stats) = seats(2, None);
    let first = seats.take(client("192.0.2.1")).unwrap();
    let _second = seats.take(client("192.0.2.1")).unwrap();
    assert_eq!(seats.take(client("192.0.2.2")).unwrap_err(), Cause::SessionsFull);
    assert_eq!(stats.sessions.get(), 2);
    drop(first);
    assert_eq!(stats.sessions.get(), 1);
    assert!(seats.take(client("192.0.2.2")).is_ok());
}

#[test]
fn an_address_has_its_share_and_an_ipv6_line_is_one() {
    let (seats, _stats) = seats(100, Some(2));
    let held = ["2001:db8::1", "2001:db8::2"].map(|ip| seats.take(client(ip)).unwrap());
    assert_eq!(seats.take(client("2001:db8::3")).unwrap_err(), Cause::AddressFull);
    assert!(seats.take(client("2001:db8:0:1::1")).is_ok(), "another /64");
    drop(held);
    assert!(seats.take(client("2001:db8::3")).is_ok());
    assert!(seats.addresses.0.lock().unwrap().is_empty(), "an address without sessions is forgotten");
}

#[test]
fn a_place_of_the_address_comes_back_when_the_node_is_full() {
    let (seats, stats) = seats(1, Some(1));
    let held = seats.take(client("192.0.2.1")).unwrap();
    assert_eq!(seats.take(client("192.0.2.2")).unwrap_err(), Cause::SessionsFull);
    drop(held);
    assert_eq!(stats.sessions.get(), 0);
    assert!(seats.take(client("192.0.2.2")).is_ok());
}

#[test]
fn clients_without_limits_take_places_of_the_node_only() {
    let (seats, stats) = seats(2, Some(1));
    let free = Client { limited: false, ..client("192.0.2.1") };
    let _held = [seats.take(free).unwrap(), seats.take(free).unwrap()];
    assert_eq!(seats.take(free).unwrap_err(), Cause::SessionsFull);
    assert_eq!(stats.sessions.get(), 2);
}

#[test]
fn many_threads_never_take_more_than_there_are() {
    let (seats, stats) = seats(100, Some(3));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let _held = seats.take(client("192.0.2.1"));
                    assert!(stats.sessions.get() <= 3);
                }
            });
        }
    });
    assert_eq!(stats.sessions.get(), 0);
    assert!(seats.addresses.0.lock().unwrap().is_empty());
}

#[test]
fn who_panics_while_the_addresses_are_held_poisons_nothing() {
    let (seats, _stats) = seats(100, Some(1));
    let held = seats.take(client("192.0.2.1")).unwrap();
    let panicked = std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let _addresses = seats.addresses.0.lock();
            panic!("a defect, while the lock is held");
        });
        holder.join()
    });
    assert!(panicked.is_err() && seats.addresses.0.is_poisoned());
    assert_eq!(seats.take(client("192.0.2.1")).unwrap_err(), Cause::AddressFull);
    drop(held);
    assert!(seats.take(client("192.0.2.1")).is_ok());
}
