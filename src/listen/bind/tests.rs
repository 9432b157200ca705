//! Binding shares a port among workers, and with nobody else.

use std::net::TcpStream;

use super::*;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[test]
fn workers_share_one_port() {
    let listeners = bind(LOOPBACK, 0, 3).unwrap();
    let ports: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    assert_eq!(ports.len(), 3);
    assert!(ports.iter().all(|port| *port == ports[0] && *port != 0));
}

#[test]
fn a_port_that_another_process_listens_on_is_refused_even_to_many_workers() {
    let taken = bind(LOOPBACK, 0, 2).unwrap();
    let port = taken[0].local_addr().unwrap().port();
    for workers in [1, 2] {
        assert_eq!(bind(LOOPBACK, port, workers).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}

#[test]
fn the_unspecified_address_takes_ipv4_too() {
    let listeners = bind(IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED), 0, 1).unwrap();
    let port = listeners[0].local_addr().unwrap().port();
    TcpStream::connect((LOOPBACK, port)).unwrap();
}
