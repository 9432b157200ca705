//! Which rooms are asked for: query before auth, the bounds, and what is no name.

use serde_json::json;

use super::*;
use crate::admission::Client;
use crate::types::PeerAddr;

fn asked(query: &[&str], auth: Option<&Value>) -> Result<Vec<String>, Cause> {
    let query: Vec<String> = query.iter().map(|&name| name.to_owned()).collect();
    let peer = PeerAddr::new(([192, 0, 2, 1], 1).into());
    let client = Client { peer, addr: peer.into(), forwarded: None, limited: true };
    let rooms = asked_for(&Claim { client, query_rooms: &query, auth })?;
    Ok(rooms.iter().map(|room| room.as_str().to_owned()).collect())
}

fn ok(names: &[&str]) -> Result<Vec<String>, Cause> {
    Ok(names.iter().map(|&name| name.to_owned()).collect())
}

#[test]
fn the_query_names_rooms_and_auth_does_where_it_does_not() {
    let auth = json!({"uniqueUserId": "from-auth", "uuid": "older"});
    assert_eq!(asked(&["a"], Some(&auth)), ok(&["a"]));
    assert_eq!(asked(&["a", "b", "a", ""], None), ok(&["a", "b"]));
    assert_eq!(asked(&[], Some(&auth)), ok(&["from-auth"]));
    assert_eq!(asked(&[""], Some(&auth)), ok(&["from-auth"]));
    assert_eq!(asked(&[], Some(&json!({"uuid": "older"}))), ok(&["older"]));
    assert_eq!(asked(&[], Some(&json!({"uniqueUserId": null, "uuid": "older"}))), ok(&["older"]));
    assert_eq!(asked(&[], Some(&json!({"uniqueUserId": ["a", "b", "", "a"]}))), ok(&["a", "b"]));
}

#[test]
fn no_name_is_no_room() {
    for auth in [None, Some(json!({})), Some(json!("a")), Some(json!(["a"])), Some(json!({"uniqueUserId": ""}))] {
        assert_eq!(asked(&[], auth.as_ref()), ok(&[]), "{auth:?}");
    }
}

#[test]
fn what_is_no_string_is_refused() {
    for auth in [json!(5), json!(true), json!({"a": 1}), json!(["a", 5]), json!([null]), json!([["a"]])] {
        let auth = json!({ "uniqueUserId": auth });
        assert_eq!(asked(&[], Some(&auth)), Err(Cause::InvalidRoom), "{auth}");
    }
}

#[test]
fn v_13_sixteen_rooms_of_255_bytes_and_no_more() {
    let names: Vec<String> = (0..17).map(|n| format!("{n:0>255}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(asked(&names[..16], None), ok(&names[..16]));
    assert_eq!(asked(&names, None), Err(Cause::InvalidRoom));
    assert_eq!(asked(&[], Some(&json!({ "uniqueUserId": names }))), Err(Cause::InvalidRoom));
    assert_eq!(asked(&[&"x".repeat(256)], None), Err(Cause::InvalidRoom));
    assert_eq!(asked(&[&"\u{e9}".repeat(128)], None), Err(Cause::InvalidRoom), "bytes, not characters");
    let repeated = vec!["a"; 10_000];
    assert_eq!(asked(&repeated, None), ok(&["a"]), "a repeated name counts once");
}
