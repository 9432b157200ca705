//! Codes are numbers, and only a foreign origin is 403.

use super::*;

#[test]
fn errors_read_as_nodes() {
    assert_eq!(EngineError::TransportUnknown.json(), r#"{"code":0,"message":"Transport unknown"}"#);
    assert_eq!(EngineError::SessionUnknown.json(), r#"{"code":1,"message":"Session ID unknown"}"#);
    assert_eq!(EngineError::BadHandshakeMethod.json(), r#"{"code":2,"message":"Bad handshake method"}"#);
    assert_eq!(EngineError::BadRequest.json(), r#"{"code":3,"message":"Bad request"}"#);
    assert_eq!(EngineError::Forbidden.json(), r#"{"code":4,"message":"Forbidden"}"#);
    assert_eq!(EngineError::UnsupportedVersion.json(), r#"{"code":5,"message":"Unsupported protocol version"}"#);
    assert_eq!(EngineError::Forbidden.status(), StatusCode::FORBIDDEN);
    assert_eq!(EngineError::SessionUnknown.status(), StatusCode::BAD_REQUEST);
}
