//! JSON Web Tokens, from the setting to the subscriber's room.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use super::{connect, connect_with};
use crate::harness::{Gateway, token};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// The gateway's clock stands at noon of 21 November 2026, in seconds since 1970.
const NOW: i64 = 1_795_262_400;

async fn with_key(key: &str, more: &[(&str, &str)]) -> Gateway {
    Gateway::start(&[&[("WEBSOCKET_AUTH", "jwt"), ("JWT_KEY", key)], more].concat()).await
}

fn claims() -> Value {
    json!({ "sub": "alice", "exp": NOW + 60 })
}

fn hs256(claims: &Value) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

/// Public key and a signed token of each asymmetric kind.
fn signed(algorithm: Algorithm) -> (String, String) {
    let pair = match algorithm {
        Algorithm::ES256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        Algorithm::EdDSA => KeyPair::generate_for(&PKCS_ED25519),
        _ => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
    };
    let pair = pair.unwrap();
    let private = pair.serialize_pem();
    let key = match algorithm {
        Algorithm::ES256 => EncodingKey::from_ec_pem(private.as_bytes()),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(private.as_bytes()),
        _ => EncodingKey::from_rsa_pem(private.as_bytes()),
    };
    (pair.public_key_pem(), encode(&Header::new(algorithm), &claims(), &key.unwrap()).unwrap())
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(header), part(claims))
}

/// Asserts that the token lets its bearer into alice's room and no other.
async fn opens_alices_room(gateway: &Gateway, token: &str) {
    let mut alice = connect(gateway, "", token).await.expect("alice's token");
    gateway.publish("bob", &json!({})).await;
    gateway.publish("alice", &json!({ "hello": 1 })).await;
    assert_eq!(alice.event().await, ("alice".to_owned(), json!({ "hello": 1 })));
}

#[tokio::test]
async fn a_secret_checks_hs256() {
    let gateway = with_key(SECRET, &[]).await;
    opens_alices_room(&gateway, &hs256(&claims())).await;
}

#[tokio::test]
async fn a_public_key_checks_the_algorithm_of_its_kind() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let (public, token) = signed(algorithm);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        std::fs::write(&path, &public).unwrap();
        for key in [public.as_str(), path.to_str().unwrap()] {
            opens_alices_room(&with_key(key, &[]).await, &token).await;
        }
        let (_, other) = signed(algorithm);
        assert!(connect(&with_key(&public, &[]).await, "", &other).await.is_none(), "another's {algorithm:?} key");
    }
}

#[tokio::test]
async fn no_token_chooses_its_algorithm() {
    let (public, _) = signed(Algorithm::RS256);
    let (_, ec) = signed(Algorithm::ES256);
    let gateway = with_key(&public, &[]).await;
    let with_public_key_as_secret =
        encode(&Header::new(Algorithm::HS256), &claims(), &EncodingKey::from_secret(public.as_bytes())).unwrap();
    for token in [
        with_public_key_as_secret,
        ec,
        hs256(&claims()),
        unsigned(&json!({ "alg": "none" }), &claims()),
        unsigned(&json!({ "alg": "None", "typ": "JWT" }), &claims()),
        unsigned(&json!({ "alg": "" }), &claims()),
        unsigned(&json!({ "alg": "RS256" }), &claims()),
        unsigned(&json!({ "typ": "JWT" }), &claims()),
    ] {
        assert!(connect(&gateway, "", &token).await.is_none(), "{token}");
    }
    let gateway = with_key(SECRET, &[]).await;
    let other_hash = encode(&Header::new(Algorithm::HS512), &claims(), &EncodingKey::from_secret(SECRET.as_bytes()));
    for token in [other_hash.unwrap(), unsigned(&json!({ "alg": "none" }), &claims()), String::new(), "..".into()] {
        assert!(connect(&gateway, "", &token).await.is_none(), "{token}");
    }
    let signed = hs256(&claims());
    let (head, signature) = signed.rsplit_once('.').unwrap();
    let tampered = unsigned(&json!({ "alg": "HS256", "typ": "JWT" }), &json!({ "sub": "bob", "exp": NOW + 60 }));
    assert!(connect(&gateway, "", &format!("{tampered}{signature}")).await.is_none());
    assert!(connect(&gateway, "", &format!("{head}.")).await.is_none());
}

#[tokio::test]
async fn a_token_is_good_from_nbf_to_exp_with_30_seconds_leeway() {
    let gateway = with_key(SECRET, &[]).await;
    for (claims, good) in [
        (json!({ "sub": "a", "exp": NOW + 1 }), true),
        (json!({ "sub": "a", "exp": NOW - 29 }), true),
        (json!({ "sub": "a", "exp": NOW - 31 }), false),
        (json!({ "sub": "a", "exp": NOW + 60, "nbf": NOW + 29 }), true),
        (json!({ "sub": "a", "exp": NOW + 60, "nbf": NOW + 31 }), false),
        (json!({ "sub": "a", "exp": NOW + 60, "nbf": NOW - 60 }), true),
        (json!({ "sub": "a", "exp": NOW as f64 + 0.5 }), true),
        (json!({ "sub": "a" }), false),
        (json!({ "sub": "a", "exp": "soon" }), false),
        (json!({ "sub": "a", "exp": null }), false),
        (json!({ "sub": "a", "exp": NOW + 60, "nbf": "x" }), false),
    ] {
        assert_eq!(connect(&gateway, "", &hs256(&claims)).await.is_some(), good, "{claims}");
    }
}

#[tokio::test]
async fn the_subject_is_the_room_and_the_only_one_that_may_be_named() {
    let gateway = with_key(SECRET, &[]).await;
    let alice = hs256(&claims());
    for (query, good) in [
        ("", true),
        ("&uniqueUserId=alice", true),
        ("&uniqueUserId=alice&uniqueUserId=alice", true),
        ("&uniqueUserId=bob", false),
        ("&uniqueUserId=alice&uniqueUserId=bob", false),
        ("&uniqueUserId=Alice", false),
    ] {
        assert_eq!(connect(&gateway, query, &alice).await.is_some(), good, "{query}");
    }
    for (named, good) in [(json!("alice"), true), (json!("bob"), false), (json!(["alice", "bob"]), false)] {
        let auth = json!({ "token": alice, "uniqueUserId": named });
        assert_eq!(connect_with(&gateway, "", auth).await.is_some(), good, "{named}");
    }
    for sub in [json!(""), json!("x".repeat(256)), json!(5), json!(null), json!(["alice"])] {
        let token = hs256(&json!({ "sub": sub, "exp": NOW + 60 }));
        assert!(connect(&gateway, "", &token).await.is_none(), "{sub}");
    }
    assert!(connect(&gateway, "", &hs256(&json!({ "exp": NOW + 60 }))).await.is_none());
    assert!(connect(&gateway, "", &hs256(&json!({ "sub": "x".repeat(255), "exp": NOW + 60 }))).await.is_some());
}

#[tokio::test]
async fn issuer_and_audience_are_checked_when_they_are_set() {
    let gateway = with_key(SECRET, &[("JWT_ISSUER", "https://id.test"), ("JWT_AUDIENCE", "roomcast")]).await;
    let whole = json!({ "sub": "alice", "exp": NOW + 60, "iss": "https://id.test", "aud": "roomcast" });
    opens_alices_room(&gateway, &hs256(&whole)).await;
    for (claim, value, good) in [
        ("iss", json!("https://evil.test"), false),
        ("iss", json!(null), false),
        ("aud", json!("other"), false),
        ("aud", json!(["other", "roomcast"]), true),
        ("aud", json!(null), false),
    ] {
        let mut claims = whole.clone();
        claims[claim] = value;
        assert_eq!(connect(&gateway, "", &hs256(&claims)).await.is_some(), good, "{claims}");
    }
    let unset = with_key(SECRET, &[]).await;
    opens_alices_room(&unset, &hs256(&whole)).await;
}

#[tokio::test]
async fn with_jwt_alone_the_daily_token_is_refused() {
    let gateway = with_key(SECRET, &[]).await;
    assert!(connect(&gateway, "", &token()).await.is_none());
    assert!(connect(&gateway, "", "").await.is_none());
}

#[tokio::test]
async fn beside_jwt_the_daily_token_connects_and_opens_no_chosen_room() {
    let gateway = with_key(SECRET, &[("WEBSOCKET_AUTH", "token,jwt")]).await;
    opens_alices_room(&gateway, &hs256(&claims())).await;
    gateway.emptied().await;
    let mut daily = connect(&gateway, "&uniqueUserId=alice", &token()).await.expect("the daily token connects");
    let auth = json!({ "token": token(), "uniqueUserId": "alice" });
    let mut by_auth = connect_with(&gateway, "", auth).await.expect("the daily token connects");
    let mut alice = connect(&gateway, "&uniqueUserId=alice", &hs256(&claims())).await.unwrap();
    let before = gateway.stats().deliveries.get();
    gateway.publish("alice", &json!({})).await;
    assert!(alice.packet().await.is_some());
    assert_eq!(gateway.stats().deliveries.get(), before + 1, "alice alone");
    for socket in [&mut daily, &mut by_auth] {
        socket.send("1").await;
        assert_eq!(socket.packet().await, None);
    }
    assert!(connect(&gateway, "&uniqueUserId=bob", &hs256(&claims())).await.is_none());
    assert!(connect(&gateway, "", "wrong").await.is_none());
}

#[tokio::test]
async fn huge_and_malformed_tokens_are_refused() {
    let gateway = with_key(SECRET, &[]).await;
    let huge = hs256(&json!({ "sub": "alice", "exp": NOW + 60, "x": "y".repeat(500_000) }));
    let deep = format!("{}.{}.x", URL_SAFE_NO_PAD.encode("[".repeat(10_000)), URL_SAFE_NO_PAD.encode("{"));
    for token in [huge.as_str(), &deep, "a.b.c", "....", "\u{0}", "é.é.é"] {
        assert!(connect(&gateway, "", token).await.is_none(), "{token:.40}");
    }
    opens_alices_room(&gateway, &hs256(&claims())).await;
}
