//! `LEGACY_QUIRKS`: a user's second session within a second is refused, and only who shows a token counts.

use super::subscriber::{daily, today};
use super::*;

/// A house with the daily token and the limit of vrchats.
fn house() -> House {
    let rates = Some(RateConfig { per_address: number(20), per_user: UserRate::OneOrRefused });
    let auth = AuthConfig { token: daily(), jwt: None };
    House::new(Config { rates, auth, exempt: cidr("198.51.100.0/24"), ..config() })
}

/// What a claim with the day's token comes to: `Ok`, or the cause and the time until it would pass, in milliseconds.
fn connect(house: &House, client: Client, query: &[&str]) -> Result<(), (Cause, u64)> {
    let query: Vec<String> = query.iter().map(|&name| name.to_owned()).collect();
    let auth = json!({ "token": today() });
    match house.gate.connect(Claim { client, query_rooms: &query, auth: Some(&auth) }) {
        Ok(grant) => {
            assert_eq!(grant.users, [], "nobody waits for a turn");
            assert_eq!(grant.rooms.iter().map(RoomName::as_str).collect::<Vec<_>>(), query);
            Ok(())
        }
        Err(refusal) => {
            assert_eq!(refusal.connect_error(), "rate limit block");
            Err((refusal.cause, u64::try_from(refusal.retry_after.unwrap().as_millis()).unwrap()))
        }
    }
}

fn after(house: &House, millis: u64) {
    house.rate_clock.advance(Duration::from_millis(millis));
}

#[test]
fn v_16_a_user_has_one_session_in_the_second_that_its_first_one_opens() {
    let house = house();
    let alice = |millis: u64| {
        after(&house, millis);
        connect(&house, client("192.0.2.1"), &["alice"])
    };
    assert_eq!(alice(0), Ok(()));
    assert_eq!(connect(&house, client("192.0.2.1"), &["bob"]), Ok(()), "each user has a second of its own");
    assert_eq!(alice(400), Err((Cause::UserRate, 600)));
    assert_eq!(alice(599), Err((Cause::UserRate, 1)), "a refusal does not make it longer");
    assert_eq!(alice(1), Ok(()), "exactly a second after the first");
    assert_eq!(alice(999), Err((Cause::UserRate, 1)));
    assert_eq!(alice(3_600_000), Ok(()));
    assert_eq!(alice(0), Err((Cause::UserRate, 1000)), "and what was not used is not saved up");
    assert_eq!(house.refusals(Cause::UserRate), 4);
}

#[test]
fn v_14b_a_wrong_token_takes_nobodys_second() {
    let house = house();
    let query = ["alice".to_owned()];
    for _ in 0..50 {
        let auth = json!({ "token": "wrong" });
        let claim = Claim { client: client("203.0.113.9"), query_rooms: &query, auth: Some(&auth) };
        assert_eq!(house.gate.connect(claim).unwrap_err().connect_error(), "invalid token");
    }
    assert_eq!(connect(&house, client("192.0.2.1"), &["alice"]), Ok(()));
    assert_eq!(house.refusals(Cause::UserRate), 0);
}

#[test]
fn v_14_nameless_ones_share_with_those_of_their_address_alone() {
    let house = house();
    assert_eq!(connect(&house, client("192.0.2.1"), &[]), Ok(()));
    assert_eq!(connect(&house, client("192.0.2.2"), &[]), Ok(()));
    assert_eq!(connect(&house, client("192.0.2.1"), &[]), Err((Cause::UserRate, 1000)));
    assert_eq!(connect(&house, client("192.0.2.1"), &["undefined"]), Ok(()), "the name is a user's like any other");
    let headerless = Client { limited: false, ..client("127.0.0.1") };
    for _ in 0..3 {
        assert_eq!(connect(&house, headerless, &[]), Ok(()), "the proxy's address is no user's");
        assert_eq!(connect(&house, client("198.51.100.1"), &["exempt"]), Ok(()));
    }
}

#[test]
fn several_rooms_are_several_users_and_each_may_refuse() {
    let house = house();
    assert_eq!(connect(&house, client("192.0.2.1"), &["a", "b"]), Ok(()));
    after(&house, 500);
    assert_eq!(connect(&house, client("192.0.2.1"), &["b"]), Err((Cause::UserRate, 500)));
    assert_eq!(connect(&house, client("192.0.2.1"), &["c", "a"]), Err((Cause::UserRate, 500)));
    after(&house, 500);
    assert_eq!(connect(&house, client("192.0.2.1"), &["a", "b"]), Ok(()));
}

#[test]
fn the_refusal_is_logged_in_vrchats_words() {
    let house = house();
    let log = logged(|| {
        for _ in 0..2 {
            let _ = connect(&house, client("192.0.2.1"), &["alice"]);
        }
    });
    assert!(log.contains("rate limit block") && log.contains("\"uniqueUserId\":\"alice\""), "{log}");
    assert!(!log.contains(&today()), "{log}");
}
