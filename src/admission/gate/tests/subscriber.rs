//! Subscribers: origin, places and rates, tokens, rooms and turns.

use chrono::NaiveDate;
use jsonwebtoken::{EncodingKey, Header, encode};

use super::*;
use crate::admission::jwt::JwtConfig;
use crate::admission::token::daily_token;

const SECRET: &str = "some-nasty-secret";
const JWT_SECRET: &str = "0123456789abcdef0123456789abcdef";

pub(super) fn daily() -> Option<TokenConfig> {
    let grace = Duration::from_secs(300);
    Some(TokenConfig { secret: Secret::new(SECRET), previous: None, start_hour: 0, grace })
}

fn jwt() -> Option<JwtConfig> {
    Some(JwtConfig::parse(JWT_SECRET, None, None).unwrap())
}

fn with_auth(token: Option<TokenConfig>, jwt: Option<JwtConfig>) -> House {
    House::new(Config { auth: AuthConfig { token, jwt }, ..config() })
}

/// The daily token of the house's clock.
pub(super) fn today() -> String {
    daily_token(&Secret::new(SECRET), NaiveDate::from_ymd_opt(2026, 3, 1).unwrap())
}

fn signed(sub: &str) -> String {
    let exp = "2026-03-01T13:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp();
    let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    encode(&Header::default(), &json!({"sub": sub, "exp": exp}), &key).unwrap()
}

/// The rooms that a claim is granted.
fn rooms(house: &House, query: &[&str], auth: &Value) -> Result<Vec<String>, Cause> {
    let query: Vec<String> = query.iter().map(|&name| name.to_owned()).collect();
    let claim = Claim { client: client("192.0.2.1"), query_rooms: &query, auth: Some(auth) };
    match house.gate.connect(claim) {
        Ok(grant) => Ok(grant.rooms.iter().map(|room| room.as_str().to_owned()).collect()),
        Err(refusal) => {
            assert_eq!(refusal, Refusal::lasting(refusal.cause));
            Err(refusal.cause)
        }
    }
}

fn ok(names: &[&str]) -> Result<Vec<String>, Cause> {
    Ok(names.iter().map(|&name| name.to_owned()).collect())
}

#[test]
fn v_30_a_foreign_origin_is_refused_and_an_allowed_one_repeated() {
    let house = House::new(config());
    let judge = |lines: &[(&str, &str)]| house.gate.browser(peer("9.9.9.9"), &headers(lines));
    assert_eq!(judge(&[]), Ok(None));
    assert_eq!(judge(&[("origin", "https://example.com")]).unwrap().unwrap(), "https://example.com");
    assert_eq!(judge(&[("origin", "https://evil.example")]), Err(Refusal::lasting(Cause::ForeignOrigin)));
    assert_eq!(house.refusals(Cause::ForeignOrigin), 1);
}

#[test]
fn without_auth_everybody_joins_what_it_asks_for() {
    let house = with_auth(None, None);
    assert_eq!(rooms(&house, &["a", "b"], &json!({"token": 5})), ok(&["a", "b"]));
    let silent = Claim { client: client("192.0.2.1"), query_rooms: &[], auth: None };
    assert_eq!(house.gate.connect(silent).unwrap().rooms, []);
}

#[test]
fn v_31_the_daily_token_is_a_string_and_nothing_else() {
    let house = with_auth(daily(), None);
    assert_eq!(rooms(&house, &["a"], &json!({"token": today()})), ok(&["a"]));
    let wrong = [
        json!({}),
        json!(null),
        json!([today()]),
        json!({"token": [today()]}),
        json!({"token": {"0": today()}}),
        json!({"token": null}),
        json!({"token": 5}),
        json!({"token": ""}),
        json!({"token": today().to_uppercase()}),
        json!({"token": signed("a")}),
    ];
    for auth in &wrong {
        assert_eq!(rooms(&house, &["a"], auth), Err(Cause::InvalidToken), "{auth}");
    }
    let silent = Claim { client: client("192.0.2.1"), query_rooms: &[], auth: None };
    assert_eq!(house.gate.connect(silent), Err(Refusal::lasting(Cause::InvalidToken)));
    assert_eq!(house.refusals(Cause::InvalidToken), wrong.len() as u64 + 1);
}

#[test]
fn v_17_v_18_the_token_is_judged_by_the_clock_at_each_connect() {
    let house = with_auth(daily(), None);
    let auth = json!({"token": today()});
    for (now, good) in [
        ("2026-02-28T23:58:59Z", false),
        ("2026-02-28T23:59:00Z", true),
        ("2026-03-01T23:59:59Z", true),
        ("2026-03-02T00:04:59Z", true),
        ("2026-03-02T00:05:00Z", false),
        ("2026-03-01T23:59:56Z", true),
    ] {
        *house.wall_clock.lock().unwrap() = now.parse().unwrap();
        assert_eq!(rooms(&house, &["a"], &auth).is_ok(), good, "{now}");
    }
}

#[test]
fn the_token_is_judged_before_the_rooms() {
    let house = with_auth(daily(), None);
    let many: Vec<String> = (0..17).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(rooms(&house, &many, &json!({"token": "wrong"})), Err(Cause::InvalidToken));
    assert_eq!(rooms(&house, &many, &json!({"token": today()})), Err(Cause::InvalidRoom));
    assert_eq!(house.refusals(Cause::InvalidRoom), 1);
}

#[test]
fn v_13_a_json_web_token_opens_the_room_of_its_subject_alone() {
    for house in [with_auth(None, jwt()), with_auth(daily(), jwt())] {
        let auth = json!({"token": signed("alice")});
        assert_eq!(rooms(&house, &[], &auth), ok(&["alice"]));
        assert_eq!(rooms(&house, &["alice", "alice", ""], &auth), ok(&["alice"]));
        for query in [&["bob"][..], &["alice", "bob"], &["bob", "alice"]] {
            assert_eq!(rooms(&house, query, &auth), Err(Cause::InvalidToken), "{query:?}");
        }
        let named = |name: Value| json!({"token": signed("alice"), "uniqueUserId": name});
        assert_eq!(rooms(&house, &[], &named(json!("alice"))), ok(&["alice"]));
        assert_eq!(rooms(&house, &[], &named(json!(["alice", "bob"]))), Err(Cause::InvalidToken));
        assert_eq!(rooms(&house, &["alice"], &json!({"token": [signed("alice")]})), Err(Cause::InvalidToken));
        assert_eq!(rooms(&house, &["alice"], &json!({})), Err(Cause::InvalidToken));
    }
}

#[test]
fn with_json_web_tokens_the_daily_token_opens_no_room() {
    let both = with_auth(daily(), jwt());
    assert_eq!(rooms(&both, &["alice"], &json!({"token": today(), "uniqueUserId": "alice"})), ok(&[]));
    assert_eq!(rooms(&both, &["alice"], &json!({"token": today().to_uppercase()})), Err(Cause::InvalidToken));
    let jwt_only = with_auth(None, jwt());
    assert_eq!(rooms(&jwt_only, &["alice"], &json!({"token": today()})), Err(Cause::InvalidToken));
}

#[test]
fn v_15_no_token_or_secret_reaches_the_log() {
    let house = with_auth(daily(), jwt());
    let yesterday = daily_token(&Secret::new(SECRET), NaiveDate::from_ymd_opt(2026, 2, 27).unwrap());
    let log = logged(|| {
        for token in [today(), yesterday.clone(), today().to_uppercase(), signed("alice"), "wrong-token".to_owned()] {
            let _ = rooms(&house, &["bob"], &json!({"token": token}));
            let _ = rooms(&house, &["alice"], &json!({"token": [token.clone()], "uuid": {"x": token}}));
        }
    });
    assert!(log.contains("auth token error") && log.contains("\"uniqueUserId\":\"bob\""), "{log}");
    let shown = format!("{:?}", house.gate.config);
    for secret in [today(), yesterday, signed("alice"), SECRET.into(), JWT_SECRET.into(), "wrong-token".into()] {
        assert!(!log.to_lowercase().contains(&secret.to_lowercase()), "{secret}");
        assert!(!shown.contains(&secret), "{secret}");
    }
}

#[test]
fn hearing_nothing_is_warned_of_once_a_minute() {
    let house = with_auth(None, None);
    let lines = || logged(|| [(); 3].map(|()| rooms(&house, &[], &json!({})))).lines().count();
    assert_eq!((lines(), lines()), (1, 0));
    house.rate_clock.advance(Duration::from_secs(60));
    assert_eq!(lines(), 1);
}

#[test]
fn an_address_opens_sessions_at_its_rate() {
    let house = House::new(limited("198.51.100.0/24"));
    let opened =
        |ip: &str| (0..100).filter(|_| house.gate.open(house.gate.client(peer(ip), &HeaderMap::new())).is_ok()).count();
    assert_eq!(opened("192.0.2.1"), 40);
    let refusal = house.gate.open(client("192.0.2.1")).unwrap_err();
    assert_eq!(refusal, Refusal::passing(Cause::AddressRate, Duration::from_millis(50)));
    assert_eq!(refusal.status().as_u16(), 429);
    assert_eq!(opened("192.0.2.2"), 40);
    assert_eq!(opened("198.51.100.1"), 100, "exempt");
    assert_eq!(opened("2001:db8::1") + opened("2001:db8::2"), 40, "one line");
    house.rate_clock.advance(Duration::from_secs(1));
    assert_eq!(opened("192.0.2.1"), 20);
    assert_eq!(house.refusals(Cause::AddressRate), 60 + 1 + 60 + 160 + 80);
    assert_eq!(house.stats.sessions.get(), 0);
}

#[test]
fn full_houses_say_so_and_when_to_ask_again() {
    let house = House::new(Config { sessions_max: 2, sessions_per_address_max: Some(1), ..config() });
    let _first = house.gate.open(client("192.0.2.1")).unwrap();
    let full = house.gate.open(client("192.0.2.1")).unwrap_err();
    assert_eq!((full.cause, full.status().as_u16(), full.retry_after_secs()), (Cause::AddressFull, 429, Some(10)));
    let _second = house.gate.open(client("192.0.2.2")).unwrap();
    let full = house.gate.open(client("192.0.2.3")).unwrap_err();
    assert_eq!((full.cause, full.status().as_u16(), full.retry_after_secs()), (Cause::SessionsFull, 503, Some(10)));
    assert_eq!((house.refusals(Cause::AddressFull), house.refusals(Cause::SessionsFull)), (1, 1));
}

#[test]
fn without_limits_nothing_is_counted() {
    let house = House::new(config());
    assert_eq!((0..500).filter(|_| house.gate.open(client("192.0.2.1")).is_ok()).count(), 500);
    let room = UserKey::Room(RoomName::new("a").unwrap());
    assert_eq!((0..500).filter(|_| house.gate.turn(&room).is_ok()).count(), 500);
    let query = ["a".to_owned()];
    let claim = Claim { client: client("192.0.2.1"), query_rooms: &query, auth: None };
    assert_eq!(house.gate.connect(claim).unwrap().users, []);
}

#[test]
fn v_14_users_are_counted_by_room_and_nameless_ones_by_address() {
    let house = House::new(limited("198.51.100.0/24"));
    let users = |client: Client, query: &[&str]| {
        let query: Vec<String> = query.iter().map(|&name| name.to_owned()).collect();
        house.gate.connect(Claim { client, query_rooms: &query, auth: None }).unwrap().users
    };
    let room = |name: &str| UserKey::Room(RoomName::new(name).unwrap());
    assert_eq!(users(client("192.0.2.1"), &["a", "b", "a"]), [room("a"), room("b")]);
    assert_eq!(users(client("192.0.2.1"), &[]), [UserKey::Address("192.0.2.1".parse().unwrap())]);
    assert_eq!(users(client("2001:db8::7"), &[]), [UserKey::Address("2001:db8::".parse().unwrap())]);
    let exempt = Client { limited: false, ..client("198.51.100.1") };
    assert_eq!(users(exempt, &["a"]), []);
    assert_eq!(users(exempt, &[]), []);
    let headerless = Client { limited: false, ..client("127.0.0.1") };
    assert_eq!(users(headerless, &[]), [], "the proxy's address is no user's");
    assert_eq!(users(headerless, &["a"]), [room("a")], "its users are known by name all the same");
}

#[test]
fn v_14b_v_16_a_user_takes_turns_and_is_told_how_long_to_wait() {
    let house = House::new(limited(""));
    let user = UserKey::Room(RoomName::new("alice").unwrap());
    assert_eq!((0..20).filter(|_| house.gate.turn(&user).is_ok()).count(), 5);
    assert_eq!(house.gate.turn(&user), Err(Duration::from_secs(1)));
    house.rate_clock.advance(Duration::from_secs(1));
    assert_eq!(house.gate.turn(&user), Ok(()));
    assert!(house.gate.turn(&UserKey::Room(RoomName::new("bob").unwrap())).is_ok());
    assert_eq!(house.all_refusals(), 0, "a wait is no refusal");

    let auth = AuthConfig { token: daily(), jwt: None };
    let locked = House::new(Config { auth, ..limited("") });
    for _ in 0..50 {
        assert_eq!(rooms(&locked, &["alice"], &json!({"token": "wrong"})), Err(Cause::InvalidToken));
    }
    assert_eq!(
        (0..20).filter(|_| locked.gate.turn(&user).is_ok()).count(),
        5,
        "who has no token takes no turn of the user's"
    );
}

#[test]
fn a_sweep_disturbs_nobody_and_the_public_gate_works_with_real_clocks() {
    let stats = Arc::<Stats>::default();
    let config = Config { publishes_per_second: Some(number(1)), ..limited("") };
    let gate = Gate::new(config, Clock::system(), Arc::clone(&stats));
    let _seat = gate.open(client("192.0.2.1")).unwrap();
    gate.sweep();
    assert_eq!(stats.sessions.get(), 1);
    assert!(gate.publisher(peer("1.2.3.4"), &HeaderMap::new()).is_ok());
    let shared: Arc<dyn Admission> = gate;
    assert!(shared.open(client("192.0.2.2")).is_ok());
}
