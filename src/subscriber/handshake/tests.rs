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
        ("POST", "/socket.io/?EIO=4&transport=websocket", BadHandshakeMethod),
        ("POST", "/socket.io/?EIO=4&transport=polling&sid=", BadHandshakeMethod),
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
fn of_rooms_no_more_is_kept_than_it_takes_to_refuse_them() {
    let uri = |names: &mut dyn Iterator<Item = String>| {
        names.fold("/socket.io/?EIO=4&transport=polling".to_owned(), |uri, name| uri + "&uniqueUserId=" + &name)
    };
    let asked = read("GET", &uri(&mut (0..1_060).map(|number| number.to_string()))).unwrap();
    assert_eq!(asked.rooms, (0..ROOMS_READ).map(|number| number.to_string()).collect::<Vec<_>>());
    let kept = asked.rooms.into_boxed_slice();
    let bytes = size_of_val(&*kept) + kept.iter().map(String::capacity).sum::<usize>();
    assert!(bytes <= 1_024, "{bytes} bytes");
    let repeated = (0..1_060).map(|number| ["", "a", "%61", "b"][number % 4].to_owned());
    let last = std::iter::once("c".to_owned());
    assert_eq!(read("GET", &uri(&mut repeated.chain(last))).unwrap().rooms, ["", "a", "b", "c"]);
    // An empty one takes no room's place, so that one too many is among those that are kept.
    let named = (0..=ROOMS_MAX).map(|number| number.to_string());
    let asked = read("GET", &uri(&mut std::iter::once(String::new()).chain(named))).unwrap();
    assert_eq!(asked.rooms.iter().filter(|name| !name.is_empty()).count(), ROOMS_MAX + 1);
}

#[test]
fn a_request_of_a_session_names_it() {
    let asked = read("POST", "/socket.io/?EIO=4&transport=polling&sid=abc").unwrap();
    assert_eq!(asked.session.as_deref(), Some("abc"));
}

#[test]
fn a_session_without_a_name_is_none() {
    assert_eq!(read("GET", "/socket.io/?EIO=4&transport=polling&sid=").map(|asked| asked.session), Ok(None));
}

#[test]
fn a_key_is_sixteen_bytes_in_base64() {
    for (key, is_good) in [
        ("dGhlIHNhbXBsZSBub25jZQ==", true),
        ("++++++++++++++++//////==", true),
        ("dGhlIHNhbXBsZSBub25jZQ=", false),
        ("dGhlIHNhbXBsZSBub25jZQ===", false),
        ("dGhlIHNhbXBsZSBub25jZQAA", false),
        ("dGhlIHNhbXBsZSBub25jZ===", false),
        ("dGhlIHNhbXBsZSBub25j-_==", false),
        ("", false),
    ] {
        assert_eq!(is_key(key.as_bytes()), is_good, "{key}");
    }
}

#[test]
fn of_subprotocols_the_first_is_chosen() {
    let chosen = |lines: &[&str]| {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(SEC_WEBSOCKET_PROTOCOL, http::HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        subprotocol(&headers).map(|name| name.map(str::to_owned))
    };
    assert_eq!(chosen(&[]), Ok(None));
    assert_eq!(chosen(&["a"]), Ok(Some("a".to_owned())));
    assert_eq!(chosen(&["v1.x ,\ta", "b"]), Ok(Some("v1.x".to_owned())));
    for line in ["", ",", "a,", ",a", "a,a", "a b", "a/b", "\u{e9}", "a\"b"] {
        assert_eq!(chosen(&[line]), Err(EngineError::BadRequest), "{line}");
    }
    assert_eq!(chosen(&["a", "a"]), Err(EngineError::BadRequest));
}
