//! The parsers at their edges.

use super::*;

#[test]
fn numbers_keep_to_their_range() {
    let parse = number(1..=10);
    assert_eq!((parse("1"), parse("10")), (Ok(1), Ok(10)));
    for wrong in ["0", "11", "-1", "1.0", "1 ", "", "99999999999999999999999", "0x1", "١"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_long_value_is_cut_between_characters() {
    assert_eq!(shown("a\"b"), "\"a\\\"b\"");
    assert_eq!(shown(&"ä".repeat(61)), format!("\"{}\"...", "ä".repeat(60)));
}

#[test]
fn ports_are_sixteen_bits() {
    assert_eq!((port("0"), port("65535")), (Ok(0), Ok(65_535)));
    assert!(port("65536").is_err() && port("http").is_err());
}

#[test]
fn methods_are_words_or_a_switch() {
    let both = Methods { token: true, jwt: true };
    assert_eq!(methods("token, JWT"), Ok(both));
    assert_eq!(methods("off"), Ok(Methods { token: false, jwt: false }));
    assert!(methods("token,nonce").unwrap_err().contains("nonce is not supported by this version"));
    for wrong in ["", ",", "token,,jwt", "0,token", "basic"] {
        assert!(methods(wrong).is_err(), "{wrong}");
    }
}
