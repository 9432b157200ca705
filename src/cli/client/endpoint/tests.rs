//! URLs as people write them.

use super::{Endpoint, EndpointError};

fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap()
}

#[test]
fn scheme_host_port_and_path_are_read() {
    let plain = endpoint("http://gateway.example/");
    assert_eq!((plain.tls, plain.host.as_str(), plain.port), (false, "gateway.example", 80));
    assert_eq!(plain.path("/publish"), "/publish");
    assert_eq!(plain.own_path(), "/");

    let below = endpoint("https://localhost:2053/rooms/");
    assert_eq!((below.tls, below.port), (true, 2053));
    assert_eq!(below.path("/publish"), "/rooms/publish");
    assert_eq!(endpoint("https://localhost").port, 443);
}

#[test]
fn an_ipv6_address_loses_its_brackets_and_gets_them_back() {
    let v6 = endpoint("https://[::1]:8443");
    assert_eq!(v6.host, "::1");
    assert_eq!(v6.authority(), "[::1]:8443");
    assert_eq!(endpoint("https://localhost:8443").authority(), "localhost:8443");
}

#[test]
fn what_is_no_gateway_url_is_refused() {
    for (text, error) in [
        ("localhost:2053", EndpointError::Scheme),
        ("ftp://localhost", EndpointError::Scheme),
        ("/publish", EndpointError::Scheme),
        ("https://", EndpointError::Syntax),
        ("https://local host", EndpointError::Syntax),
        ("https://user:secret@localhost", EndpointError::Extra),
        ("https://localhost/?a=1", EndpointError::Extra),
        ("https://localhost/#a", EndpointError::Extra),
    ] {
        assert_eq!(text.parse::<Endpoint>(), Err(error), "{text}");
    }
}
