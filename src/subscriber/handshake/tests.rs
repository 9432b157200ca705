//! Engine.IO requests are judged in the order, and with the errors, of Node's server.

use super::*;

fn read(method: &str, uri: &str) -> Result<EngineRequest, EngineError> {
    let request = Request::builder().method(method).uri(uri).body(()).unwrap();
    EngineRequest::read(&request)
}

#[test]
fn refusals_are_those_of_engine_io() {
    use EngineError::*;
    let rows = [
        ("GET", "/socket.io/", TransportUnknown),
        ("GET", "/socket.io/socket.io.js", TransportUnknown),
        ("GET", "/socket.io/?EIO=4&transport=__proto__", TransportUnknown),
        ("GET", "/socket.io/?EIO=4&transport=polling&transport=websocket", TransportUnknown),
        ("POST", "/socket.io/?EIO=4&transport=polling", BadHandshakeMethod),
        ("DELETE", "/socket.io/?EIO=4&transport=polling", BadHandshakeMethod),
        ("GET", "/socket.io/?EIO=4&transport=websocket", BadRequest),
        ("GET", "/socket.io/?EIO=4&transport=websocket&sid=abc", BadRequest),
        ("DELETE", "/socket.io/?EIO=4&transport=polling&sid=abc", BadRequest),
        ("GET", "/socket.io/?EIO=3&transport=polling", UnsupportedVersion),
        ("GET", "/socket.io/?transport=polling", UnsupportedVersion),
        ("GET", "/socket.io/?EIO=4&EIO=3&transport=polling", UnsupportedVersion),
        ("GET", "/socket.io/?EIO=4&transport=polling&sid=a&sid=b", SessionUnknown),
    ];
    for (method, uri, error) in rows {
        assert_eq!(read(method, uri), Err(error), "{method} {uri}");
    }
}

#[test]
fn rooms_are_every_value_of_the_query_decoded_in_order() {
    let uri = "/socket.io/?EIO=4&transport=polling&uniqueUserId=a%20b+c&t=x&uniqueUserId=%C3%A9&uniqueUserId=";
    let asked = read("GET", uri).unwrap();
    assert_eq!(asked.session, None);
    assert_eq!(asked.rooms, ["a b c", "é", ""]);
}

#[test]
fn a_request_of_a_session_names_it() {
    let asked = read("POST", "/socket.io/?EIO=4&transport=polling&sid=abc").unwrap();
    assert_eq!(asked.session.as_deref(), Some("abc"));
}
