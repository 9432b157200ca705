//! Origins: the forms of an entry, wildcards, and header lines.

use super::*;

fn list(text: &str) -> OriginList {
    OriginList::parse(text).unwrap()
}

#[test]
fn origins_are_compared_whole() {
    let list = list("https://example.com, https://localhost:8443 ,,http://127.0.0.1:3000,https://[::1]:8443");
    for allowed in ["https://example.com", "https://localhost:8443", "http://127.0.0.1:3000", "https://[::1]:8443"] {
        assert!(list.allows(allowed), "{allowed}");
    }
    for foreign in [
        "http://example.com",
        "https://example.com:8443",
        "https://example.com/",
        "https://www.example.com",
        "https://example.com.evil.io",
        "https://evilexample.com",
        "https://localhost",
        "HTTPS://EXAMPLE.COM",
        "null",
        "*",
        "",
    ] {
        assert!(!list.allows(foreign), "{foreign}");
    }
}

#[test]
fn entries_are_written_as_browsers_write_origins() {
    assert!(list("HTTPS://Example.COM").allows("https://example.com"));
    assert!(list("https://example.com:443").allows("https://example.com"));
    assert!(list("http://example.com:80").allows("http://example.com"));
    assert!(list("https://example.com:80").allows("https://example.com:80"));
    assert!(list("capacitor://localhost").allows("capacitor://localhost"));
}

#[test]
fn v_30_a_wildcard_stands_for_whole_labels() {
    let list = list("https://*.example.com,https://*.example.org:8443");
    for allowed in ["https://a.example.com", "https://a.b-c.example.com", "https://a.example.org:8443"] {
        assert!(list.allows(allowed), "{allowed}");
    }
    for foreign in [
        "https://example.com",
        "https://.example.com",
        "https://evilexample.com",
        "https://a.example.com.evil.io",
        "https://a.example.com:8443",
        "http://a.example.com",
        "https://a.example.org",
        "https://a..example.com",
        "https://evil.io/.example.com",
        "https://evil.io:1.example.com",
        "https://evil.io#.example.com",
        "https://user@a.example.com",
        "https://*.example.com",
        "https://A.example.com",
    ] {
        assert!(!list.allows(foreign), "{foreign}");
    }
}

#[test]
fn what_is_no_origin_is_refused_with_the_entry_and_a_mend() {
    for (entry, mend) in [
        ("*", "name each"),
        ("null", "serve the page from a host"),
        ("example.com", "scheme"),
        ("https://example.com/", "closing slash"),
        ("https://example.com/path", "cut everything"),
        ("https://example.com?x", "cut everything"),
        ("https://a.*.example.com", "wildcard"),
        ("https://*example.com", "wildcard"),
        ("https://*", "wildcard"),
        ("https://*.*.example.com", "wildcard"),
        ("https://*.", "wildcard"),
        ("https://example.com:*", "port"),
        ("https://example.com:", "port"),
        ("https://example.com:0", "port"),
        ("https://example.com:65536", "port"),
        ("https://example.com:+443", "port"),
        ("https://ex ample.com", "host"),
        ("https://user@example.com", "host"),
        ("https://", "host"),
        ("https://b\u{fc}cher.example", "xn--"),
        ("://example.com", "scheme"),
        ("1https://example.com", "scheme"),
    ] {
        let faults = OriginList::parse(&format!("https://ok.example,{entry}")).unwrap_err();
        assert_eq!(faults.len(), 1, "{entry}");
        assert!(faults[0].starts_with(&format!("`{entry}` is no origin: ")), "{}", faults[0]);
        assert!(faults[0].contains(mend), "{entry}: {}", faults[0]);
    }
    assert_eq!(OriginList::parse("*,null").unwrap_err().len(), 2, "all faults at once");
}

#[test]
fn an_empty_list_allows_no_browser() {
    assert!(!list("").allows("https://example.com"));
}

#[test]
fn a_request_has_one_origin_or_none() {
    let list = list("https://example.com");
    let judge = |values: &[&'static [u8]]| {
        let values = values.iter().map(|value| (ORIGIN, HeaderValue::from_bytes(value).unwrap()));
        let headers: HeaderMap = values.collect();
        match list.judge(&headers) {
            RequestOrigin::Absent => "absent".to_owned(),
            RequestOrigin::Allowed(value) => value.to_str().unwrap().to_owned(),
            RequestOrigin::Foreign => "foreign".to_owned(),
        }
    };
    assert_eq!(judge(&[]), "absent");
    assert_eq!(judge(&[b"https://example.com"]), "https://example.com");
    assert_eq!(judge(&[b"https://evil.example"]), "foreign");
    assert_eq!(judge(&[b"https://example.com", b"https://example.com"]), "foreign");
    assert_eq!(judge(&[b"https://example.com\xff"]), "foreign");
    assert_eq!(judge(&[b""]), "foreign");
    assert_eq!(judge(&[b"null"]), "foreign");
}
