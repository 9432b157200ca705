//! JSON Web Tokens: what is let in, and all that must not be.

mod keys;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Who signs tokens in these tests.
struct Issuer {
    algorithm: Algorithm,
    private: EncodingKey,
    private_pem: String,
    public_pem: String,
}

impl Issuer {
    fn of(algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::ES256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Algorithm::EdDSA => KeyPair::generate_for(&PKCS_ED25519),
            _ => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        }
        .unwrap();
        let private_pem = pair.serialize_pem();
        let private = match algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_pem(private_pem.as_bytes()),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(private_pem.as_bytes()),
            _ => EncodingKey::from_rsa_pem(private_pem.as_bytes()),
        }
        .unwrap();
        Self { algorithm, private, private_pem, public_pem: pair.public_key_pem() }
    }

    fn all() -> [Self; 3] {
        [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA].map(Self::of)
    }

    fn sign(&self, kid: Option<&str>, claims: &Value) -> String {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.private).unwrap()
    }
}

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn after_now(secs: i64) -> i64 {
    now().timestamp() + secs
}

fn claims() -> Value {
    json!({"sub": "alice", "exp": after_now(60)})
}

fn with(mut claims: Value, key: &str, value: Value) -> Value {
    claims[key] = value;
    claims
}

fn hs256(claims: &Value) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

fn config(key: &str) -> JwtConfig {
    JwtConfig::parse(key, None, None).unwrap()
}

fn room(config: &JwtConfig, token: &str) -> Option<String> {
    config.room(token, now()).map(|room| room.as_str().to_owned())
}

fn alice() -> Option<String> {
    Some("alice".to_owned())
}

#[test]
fn each_kind_of_key_lets_its_own_tokens_in() {
    assert_eq!(room(&config(SECRET), &hs256(&claims())), alice());
    let issuers = Issuer::all();
    for (at, issuer) in issuers.iter().enumerate() {
        let config = config(&issuer.public_pem);
        assert_eq!(room(&config, &issuer.sign(None, &claims())), alice(), "{:?}", issuer.algorithm);
        assert_eq!(room(&config, &issuer.sign(Some("any"), &claims())), alice(), "one key needs no id");
        for (other_at, other) in issuers.iter().enumerate() {
            assert_eq!(room(&config, &other.sign(None, &claims())).is_some(), at == other_at);
        }
        assert_eq!(room(&config, &hs256(&claims())), None);
    }
}

#[test]
fn the_header_cannot_choose_the_algorithm() {
    let rsa = Issuer::of(Algorithm::RS256);
    let config = config(&rsa.public_pem);
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let token = encode(&Header::new(algorithm), &claims(), &rsa.private).unwrap();
        assert_eq!(room(&config, &token), None, "{algorithm:?}");
    }
    // The public key as an HMAC secret: who confuses the two lets everybody sign.
    for secret in [rsa.public_pem.as_str(), rsa.public_pem.trim()] {
        let forged = encode(&Header::default(), &claims(), &EncodingKey::from_secret(secret.as_bytes())).unwrap();
        assert_eq!(room(&config, &forged), None);
    }
    let hs = self::config(SECRET);
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let secret = EncodingKey::from_secret(SECRET.as_bytes());
        assert_eq!(room(&hs, &encode(&Header::new(algorithm), &claims(), &secret).unwrap()), None, "{algorithm:?}");
    }
}

#[test]
fn an_unsigned_token_is_none() {
    let body = URL_SAFE_NO_PAD.encode(claims().to_string());
    for algorithm in ["none", "None", "NONE", "", "HS256", "hs256"] {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": algorithm, "typ": "JWT"}).to_string());
        assert_eq!(room(&config(SECRET), &format!("{header}.{body}.")), None, "{algorithm}");
        assert_eq!(room(&config(SECRET), &format!("{header}.{body}")), None, "{algorithm}");
    }
}

#[test]
fn a_changed_token_is_none() {
    let token = hs256(&claims());
    assert_eq!(room(&config(SECRET), &token), alice());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let body = URL_SAFE_NO_PAD.encode(with(claims(), "sub", json!("bob")).to_string());
    let mut wrong = vec![format!("{header}.{body}.{signature}"), format!("{token}."), format!(" {token}")];
    wrong.extend([String::new(), ".".into(), "..".into(), "...".into(), "a.b.c".into(), "\u{20ac}.\u{20ac}.x".into()]);
    wrong.push(signed.to_owned());
    for wrong in wrong {
        assert_eq!(room(&config(SECRET), &wrong), None, "{wrong}");
    }
    assert_eq!(room(&config("another secret of over 32 bytes....."), &token), None);
}

#[test]
fn times_are_those_of_the_clock_with_half_a_minute_of_leeway() {
    let config = config(SECRET);
    let good_at =
        |claims: &Value, millis: i64| config.room(&hs256(claims), now() + TimeDelta::milliseconds(millis)).is_some();
    let expiring = json!({"sub": "alice", "exp": after_now(0)});
    assert!(good_at(&expiring, 29_999));
    assert!(!good_at(&expiring, 30_000));
    let fraction = json!({"sub": "alice", "exp": after_now(0) as f64 + 0.5});
    assert!(good_at(&fraction, 30_499));
    assert!(!good_at(&fraction, 30_500));
    let beginning = json!({"sub": "alice", "exp": after_now(3600), "nbf": after_now(0)});
    assert!(!good_at(&beginning, -30_001));
    assert!(good_at(&beginning, -30_000));
}

#[test]
fn claims_must_be_there_and_of_their_type() {
    let config = config(SECRET);
    let room_of = |claims: Value| room(&config, &hs256(&claims));
    assert_eq!(room_of(claims()), alice());
    for wrong in [
        json!({"sub": "alice"}),
        json!({"exp": after_now(60)}),
        json!([]),
        with(claims(), "exp", json!(null)),
        with(claims(), "exp", json!(after_now(60).to_string())),
        with(claims(), "exp", json!(-1)),
        with(claims(), "nbf", json!("soon")),
        with(claims(), "nbf", json!(after_now(3600))),
        with(claims(), "sub", json!("")),
        with(claims(), "sub", json!(5)),
        with(claims(), "sub", json!(["alice"])),
        with(claims(), "sub", json!(null)),
        with(claims(), "sub", json!("x".repeat(256))),
    ] {
        assert_eq!(room_of(wrong.clone()), None, "{wrong}");
    }
    assert_eq!(room_of(with(claims(), "sub", json!("x".repeat(255)))), Some("x".repeat(255)));
    assert_eq!(room_of(with(claims(), "exp", json!(1e300))), alice());
}

#[test]
fn issuer_and_audience_are_checked_when_they_are_configured() {
    let (free, bound) = (config(SECRET), JwtConfig::parse(SECRET, Some("https://id.example"), Some("chats")).unwrap());
    let named = |iss: Value, aud: Value| hs256(&with(with(claims(), "iss", iss), "aud", aud));
    for (iss, aud, good) in [
        (json!("https://id.example"), json!("chats"), true),
        (json!("https://id.example"), json!(["mail", "chats"]), true),
        (json!("https://id.example"), json!("mail"), false),
        (json!("https://id.example"), json!([]), false),
        (json!("https://id.example"), json!(null), false),
        (json!("https://id.example/"), json!("chats"), false),
        (json!(null), json!("chats"), false),
        (json!(5), json!("chats"), false),
    ] {
        assert_eq!(room(&bound, &named(iss.clone(), aud.clone())).is_some(), good, "{iss} {aud}");
        assert_eq!(room(&free, &named(iss, aud)), alice());
    }
    assert_eq!(room(&bound, &hs256(&claims())), None, "claims that are asked for must be there");
}

#[test]
fn a_header_that_asks_for_what_is_not_understood_is_refused() {
    let header = Header { crit: Some(vec!["b64".to_owned()]), ..Header::default() };
    let token = encode(&header, &claims(), &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    assert_eq!(room(&config(SECRET), &token), None);
}

#[test]
fn a_token_over_8_kib_is_not_looked_at() {
    let padded = |bytes: usize| hs256(&with(claims(), "pad", json!("x".repeat(bytes))));
    assert_eq!(room(&config(SECRET), &padded(5500)), alice());
    assert!(padded(6100).len() > TOKEN_BYTES_MAX);
    assert_eq!(room(&config(SECRET), &padded(6100)), None);
}

#[test]
fn debug_shows_no_key() {
    let rsa = Issuer::of(Algorithm::RS256);
    for key in [SECRET, &rsa.public_pem] {
        let shown = format!("{:?}", JwtConfig::parse(key, Some("me"), None).unwrap());
        assert!(shown.contains("256") && shown.contains("me"), "{shown}");
        assert!(!shown.contains("0123456789abcdef") && !shown.contains("MII") && !shown.contains("48, 49"), "{shown}");
    }
}
