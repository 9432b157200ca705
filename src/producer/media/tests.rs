//! Which content types are JSON in UTF-8.

use http::HeaderValue;

use super::*;

fn judge(lines: &[&str]) -> &'static str {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header::CONTENT_TYPE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    match require_json(&headers) {
        Ok(()) => "taken",
        Err(BodyError::Charset) => "charset",
        Err(BodyError::Type) => "type",
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn json_in_utf_8_is_taken_however_it_is_written() {
    for line in [
        "application/json",
        "Application/JSON",
        " application/json ",
        "application/json;",
        "application/json;charset=utf-8",
        "application/json; charset=UTF-8",
        "application/json ; Charset = \"Utf-8\"",
        "application/json; version=1; charset=utf-8; q",
        "application/json; charset",
    ] {
        assert_eq!(judge(&[line]), "taken", "{line}");
    }
}

#[test]
fn other_charsets_are_refused() {
    for charset in
        ["utf8", "utf-16", "utf-32le", "iso-8859-1", "\"latin1\"", "\"utf-8", "", "utf-8x", "utf-8; charset=x"]
    {
        assert_eq!(judge(&[&format!("application/json; charset={charset}")]), "charset", "{charset}");
    }
}

#[test]
fn other_types_are_refused() {
    for line in [
        "",
        ";",
        "json",
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/json5",
        "application/vnd.api+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/json, text/plain",
        "application/ json",
        "application/json\u{e9}",
    ] {
        assert_eq!(judge(&[line]), "type", "{line}");
    }
    assert_eq!(judge(&[]), "type");
    assert_eq!(judge(&["application/json", "application/json"]), "type");
}
