//! Reading `JWT_KEY`: which kind of key it is, and the one algorithm that follows from it.
//!
//! No error repeats the key's text: what looks like a path may be a secret.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde_json::Value;

/// The largest key file, in bytes; a JWKS of [`KEYS_MAX`] keys with certificates takes a tenth of it.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Keys of a JWKS. A token without `kid` is tried against all of its algorithm, so their number is its cost.
const KEYS_MAX: usize = 64;

/// The shortest HS256 secret, in bytes: what can be guessed offline from one token must not be a word.
const SECRET_BYTES_MIN: usize = 16;

/// What RFC 7518 asks of an HS256 secret, in bytes.
const SECRET_BYTES_ADVISED: usize = 32;

/// How the name of a key file ends.
const KEY_FILE_ENDINGS: [&str; 8] = [".pem", ".json", ".jwks", ".key", ".pub", ".crt", ".cer", ".der"];

/// A key, and the only algorithm it verifies.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// The keys of `JWT_KEY`, at least one, and what its author should know of them.
pub(super) struct Keys {
    pub(super) keys: Vec<Key>,
    pub(super) warnings: Vec<String>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Reads the setting.
pub(super) fn read(setting: &str) -> Result<Keys, String> {
    let text = setting.trim();
    if let Some(keys) = key_text(text) {
        return keys;
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return Err("keys are not fetched over the network: save the JWKS to a file and give its path".to_owned());
    }
    if looks_like_path(text) || Path::new(text).is_file() {
        let held = read_file(Path::new(text))?;
        return key_text(held.trim()).unwrap_or_else(|| {
            Err("the file holds neither PEM nor JWKS; to take its content as a secret, name it in JWT_KEY_FILE".into())
        });
    }
    secret(setting)
}

/// Reads PEM or JSON; none if it is neither.
fn key_text(text: &str) -> Option<Result<Keys, String>> {
    if text.contains("-----BEGIN") {
        // In an environment file the line ends of a PEM often stand as `\n`.
        Some(pem(&text.replace("\\n", "\n")))
    } else if text.starts_with('{') {
        Some(jwks(text))
    } else {
        None
    }
}

/// A path that does not exist must not become a secret that everybody can guess.
fn looks_like_path(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["/", "./", "../", "~/"].iter().any(|start| lower.starts_with(start))
        || KEY_FILE_ENDINGS.iter().any(|end| lower.ends_with(end))
}

fn read_file(path: &Path) -> Result<String, String> {
    let explain = |error: std::io::Error| {
        format!(
            "it looks like a path, and the file cannot be read: {error}; mend the path, or begin a secret otherwise"
        )
    };
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)).map_err(explain)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("the file has over {FILE_BYTES_MAX} bytes: give one that holds only the key"));
    }
    Ok(text)
}

fn secret(secret: &str) -> Result<Keys, String> {
    if secret.len() < SECRET_BYTES_MIN {
        return Err(format!(
            "a secret of {} bytes can be guessed: take {SECRET_BYTES_ADVISED} random bytes (at least {SECRET_BYTES_MIN})",
            secret.len()
        ));
    }
    let key = Key { id: None, algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret.as_bytes()) };
    Ok(Keys { keys: vec![key], warnings: short_secret(secret.len()).into_iter().collect() })
}

fn short_secret(bytes: usize) -> Option<String> {
    (bytes < SECRET_BYTES_ADVISED)
        .then(|| format!("a secret of {bytes} bytes is short: RFC 7518 asks for {SECRET_BYTES_ADVISED} with HS256"))
}

/// A public key or a certificate; of several the first.
fn pem(text: &str) -> Result<Keys, String> {
    if text.contains("PRIVATE KEY-----") {
        return Err("this is a private key, which only the issuer of tokens may hold: give the public key".to_owned());
    }
    let readers = [DecodingKey::from_rsa_pem, DecodingKey::from_ec_pem, DecodingKey::from_ed_pem];
    let key = readers.iter().find_map(|read| read(text.as_bytes()).ok());
    let jwk = key.and_then(|key| Jwk::from_decoding_key(&key, None).ok());
    let jwk =
        jwk.ok_or("this PEM is no public key that is supported: give RSA, EC P-256 or Ed25519 (BEGIN PUBLIC KEY)")?;
    Ok(Keys { keys: vec![key_of(&jwk)?], warnings: Vec::new() })
}

/// A JWKS, or a single JWK.
fn jwks(text: &str) -> Result<Keys, String> {
    let set: Value = serde_json::from_str(text)
        .map_err(|error| format!("this is no JSON (line {}, column {})", error.line(), error.column()))?;
    let entries = match set.get("keys") {
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(_) => return Err("`keys` of the JWKS is no array".to_owned()),
        None => std::slice::from_ref(&set),
    };
    if entries.len() > KEYS_MAX {
        return Err(format!("the JWKS has {} keys: keep those in use, at most {KEYS_MAX}", entries.len()));
    }
    let mut found = Keys { keys: Vec::new(), warnings: Vec::new() };
    for (at, entry) in entries.iter().enumerate() {
        if entry.get("d").is_some() {
            return Err(format!("key {} of the JWKS is a private key: give the public keys alone", at + 1));
        }
        match jwk(entry) {
            Ok(Some(key)) => found.keys.push(key),
            Ok(None) => {}
            Err(reason) => found.warnings.push(format!("key {} of the JWKS is left out: {reason}", at + 1)),
        }
    }
    if found.keys.is_empty() {
        let reasons = found.warnings.join("; ");
        return Err(format!("the JWKS holds no key to check signatures with ({reasons})"));
    }
    Ok(found)
}

/// None for a key that is for encryption: providers publish these beside the others.
fn jwk(entry: &Value) -> Result<Option<Key>, String> {
    let jwk: Jwk = serde_json::from_value(entry.clone()).map_err(|_| "it is no JWK")?;
    if jwk.common.public_key_use == Some(PublicKeyUse::Encryption) {
        return Ok(None);
    }
    let key = key_of(&jwk)?;
    match jwk.common.key_algorithm {
        Some(named) if named != key.algorithm.into() => {
            Err(format!("its `alg` is {named}, and a key of its kind is used with {:?}", key.algorithm))
        }
        _ => Ok(Some(key)),
    }
}

/// The key, if it is well-formed and of a kind that is supported.
fn key_of(jwk: &Jwk) -> Result<Key, String> {
    let key = DecodingKey::from_jwk(jwk).map_err(|_| "its kind is not supported, or it is not well-formed")?;
    let bytes = match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => bytes.len(),
        DecodingKeyKind::RsaModulusExponent { n, .. } => n.iter().skip_while(|byte| **byte == 0).count(),
    };
    let algorithm = match &jwk.algorithm {
        // What the library verifies: 2048 to 8192 bits.
        AlgorithmParameters::RSA(_) if !(256..=1024).contains(&bytes) => {
            return Err(format!("an RSA key has 2048 to 8192 bits, this one {}", bytes * 8));
        }
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        // A tag and two coordinates of 32 bytes.
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 && bytes == 65 => Algorithm::ES256,
        AlgorithmParameters::EllipticCurve(_) => return Err("of the EC curves only P-256 is supported".to_owned()),
        AlgorithmParameters::OctetKeyPair(ed) if ed.curve == EllipticCurve::Ed25519 && bytes == 32 => Algorithm::EdDSA,
        AlgorithmParameters::OctetKey(_) if bytes < SECRET_BYTES_ADVISED => {
            return Err(short_secret(bytes).unwrap_or_default());
        }
        AlgorithmParameters::OctetKey(_) => Algorithm::HS256,
        _ => return Err("its kind is not supported: RSA, EC P-256, Ed25519 and oct are".to_owned()),
    };
    Ok(Key { id: jwk.common.key_id.clone(), algorithm, key })
}
