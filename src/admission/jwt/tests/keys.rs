//! `JWT_KEY`: what it may be, and a sentence for all that it may not.

use std::path::PathBuf;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::Jwk;
use rcgen::CertificateParams;

use super::*;

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("roomcast-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fault(key: &str) -> String {
    JwtConfig::parse(key, None, None).unwrap_err()
}

fn jwk(issuer: &Issuer, kid: Option<&str>) -> Value {
    let pem = issuer.public_pem.as_bytes();
    let key = match issuer.algorithm {
        Algorithm::ES256 => DecodingKey::from_ec_pem(pem),
        Algorithm::EdDSA => DecodingKey::from_ed_pem(pem),
        _ => DecodingKey::from_rsa_pem(pem),
    };
    let mut jwk = serde_json::to_value(Jwk::from_decoding_key(&key.unwrap(), None).unwrap()).unwrap();
    if let Some(kid) = kid {
        jwk["kid"] = json!(kid);
    }
    jwk
}

#[test]
fn a_pem_comes_as_text_as_one_line_or_as_a_path() {
    let folder = Folder::new("jwt-pem");
    for issuer in Issuer::all() {
        let pem = &issuer.public_pem;
        let one_line = pem.trim().replace("\r\n", "\\n").replace('\n', "\\n");
        let plain_name = folder.file("public", pem);
        for key in [pem.clone(), format!("\n{pem}\n"), one_line, folder.file("public.pem", pem), plain_name] {
            assert_eq!(room(&config(&key), &issuer.sign(None, &claims())), alice(), "{:?}", issuer.algorithm);
        }
    }
}

#[test]
fn a_certificate_gives_its_public_key() {
    for issuer in Issuer::all() {
        let pair = KeyPair::from_pem(&issuer.private_pem).unwrap();
        let certificate = CertificateParams::new(vec!["id.example".to_owned()]).unwrap().self_signed(&pair).unwrap();
        let config = config(&certificate.pem());
        assert_eq!(room(&config, &issuer.sign(None, &claims())), alice(), "{:?}", issuer.algorithm);
    }
}

#[test]
fn a_private_key_is_refused_as_such() {
    let folder = Folder::new("jwt-private");
    for issuer in Issuer::all() {
        for key in [issuer.private_pem.clone(), folder.file("key.pem", &issuer.private_pem)] {
            assert!(fault(&key).contains("private key"), "{:?}", issuer.algorithm);
        }
    }
    assert!(fault("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----").contains("private key"));
    let mut private = jwk(&Issuer::of(Algorithm::ES256), None);
    private["d"] = json!("c2VjcmV0");
    assert!(fault(&json!({"keys": [private]}).to_string()).contains("private key"));
}

#[test]
fn a_jwks_holds_keys_by_id() {
    let [rsa, ec, ed] = Issuer::all();
    let other = Issuer::of(Algorithm::ES256);
    let secret = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET), "kid": "hs"});
    let set =
        json!({"keys": [jwk(&rsa, Some("a")), jwk(&ec, Some("b")), jwk(&other, Some("c")), jwk(&ed, None), secret]});
    let folder = Folder::new("jwt-jwks");
    for key in [set.to_string(), folder.file("jwks.json", &set.to_string()), folder.file("set", &set.to_string())] {
        let config = config(&key);
        assert_eq!(config.warnings(), Vec::<String>::new());
        for (issuer, kid) in [(&rsa, "a"), (&ec, "b"), (&other, "c"), (&ed, "any")] {
            assert_eq!(room(&config, &issuer.sign(Some(kid), &claims())), alice(), "{kid}");
            assert_eq!(
                room(&config, &issuer.sign(None, &claims())),
                alice(),
                "without an id every key of the kind is tried"
            );
        }
        assert_eq!(room(&config, &ec.sign(Some("c"), &claims())), None, "another key's id");
        assert_eq!(room(&config, &ec.sign(Some("x"), &claims())), None, "an unknown id");
        assert_eq!(room(&config, &hs256(&claims())), alice());
    }
    assert_eq!(room(&config(&jwk(&ec, None).to_string()), &ec.sign(None, &claims())), alice(), "a single key");
}

#[test]
fn keys_of_a_jwks_that_are_of_no_use_are_left_out_and_told() {
    let [rsa, ec, _] = Issuer::all();
    let mut encryption = jwk(&rsa, Some("enc"));
    encryption["use"] = json!("enc");
    let mut rs512 = jwk(&rsa, Some("rs512"));
    rs512["alg"] = json!("RS512");
    let mut strange = jwk(&ec, Some("p384"));
    strange["crv"] = json!("P-384");
    let weak = json!({"kty": "oct", "k": "c2hvcnQ"});
    let unknown = json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"});
    let good = jwk(&ec, Some("good"));
    let set = json!({"keys": [encryption, rs512, strange, weak, unknown, good, 5]});
    let config = config(&set.to_string());
    assert_eq!(room(&config, &ec.sign(Some("good"), &claims())), alice());
    assert_eq!(config.keys.len(), 1);
    let named: Vec<_> = config.warnings().iter().map(|warning| warning.split(" of").next().unwrap()).collect();
    assert_eq!(named, ["key 2", "key 3", "key 4", "key 5", "key 7"], "{:?}", config.warnings());
}

#[test]
fn a_jwks_without_a_usable_key_is_refused() {
    let short_rsa = json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "e": "AQAB"});
    let many = vec![json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET)}); 65];
    for (set, words) in [
        (json!({"keys": []}), "no key"),
        (json!({"keys": 5}), "no array"),
        (json!({"keys": [short_rsa]}), "1024"),
        (json!({"keys": many}), "at most 64"),
        (json!({"kty": "oct", "k": "c2hvcnQ"}), "short"),
        (json!({}), "no key"),
    ] {
        assert!(fault(&set.to_string()).contains(words), "{words}: {}", fault(&set.to_string()));
    }
    assert!(fault("{\"keys\": [").contains("line 1"));
}

#[test]
fn a_secret_that_can_be_guessed_is_refused_and_a_short_one_told() {
    for short in ["", " ", "secret", "123456789012345"] {
        let fault = fault(short);
        assert!(fault.contains("32 random bytes"), "{fault}");
    }
    assert!(!fault("hunter2").contains("hunter2"));
    assert_eq!(config("1234567890123456").warnings().len(), 1);
    assert_eq!(config(SECRET).warnings().len(), 0);
}

#[test]
fn a_url_is_refused_with_what_to_do_instead() {
    for url in ["https://id.example/.well-known/jwks.json", "http://id.example/jwks"] {
        assert!(fault(url).contains("save the JWKS to a file"));
    }
}

#[test]
fn a_path_without_a_file_never_becomes_a_secret() {
    for path in [
        "/etc/roomcast/no-such-key-file",
        "./no-such-key-file",
        "../no-such-key",
        "no-such-key-file.pem",
        "NO-SUCH.JSON",
    ] {
        let fault = fault(path);
        assert!(fault.contains("cannot be read") && !fault.contains("such-key"), "{fault}");
    }
}

#[test]
fn a_file_that_is_no_key_is_refused_without_its_text() {
    let folder = Folder::new("jwt-other");
    let fault_of = |text: &str| fault(&folder.file("key.pem", text));
    assert!(fault_of("just-a-secret-of-many-characters").contains("JWT_KEY_FILE"));
    assert!(fault_of("").contains("neither PEM nor JWKS"));
    assert!(fault_of("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").contains("no public key"));
    assert!(fault_of(&"x".repeat(1 << 21)).contains("bytes"));
    assert!(fault(folder.0.to_str().unwrap()).contains("cannot be read"), "a folder");
    for secret in ["just-a-secret", "AAAA"] {
        assert!(!fault_of(&format!("{secret}-of-many-characters")).contains(secret));
    }
}
