//! One key of another issuer's JWK set, bound to the one algorithm it is for.
//!
//! Left out: secrets, keys for encryption, keys without a name, curves and algorithms that are not used here, and RSA keys of fewer than
//! 2048 bits or of more than 4096.

use std::collections::HashMap;
use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// How many keys of a set are looked at.
const MAX_KEYS: usize = 100;

/// A key that verifies.
pub(super) struct IssuerKey {
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

/// Keys by their names.
pub(super) type Keys = HashMap<String, Arc<IssuerKey>>;

/// The keys of a JWK set that can be used.
///
/// # Errors
/// When it is no JWK set.
pub(super) fn read(body: &[u8]) -> Result<Keys, serde_json::Error> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(body)?;
    // A key of a kind that is not known here must not take the others with it.
    let known = set.keys.into_iter().take(MAX_KEYS).filter_map(|key| {
        let jwk: Jwk = serde_json::from_value(key).ok()?;
        Some((jwk.common.key_id.clone()?, Arc::new(usable(&jwk)?)))
    });
    Ok(known.collect())
}

fn usable(jwk: &Jwk) -> Option<IssuerKey> {
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(key) => {
            let modulus = URL_SAFE_NO_PAD.decode(&key.n).ok()?;
            let modulus = modulus.iter().skip_while(|byte| **byte == 0).count();
            (256..=512).contains(&modulus).then_some(Algorithm::RS256)?
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        _ => return None,
    };
    if jwk.common.key_algorithm.is_some_and(|named| named.to_string() != format!("{algorithm:?}")) {
        return None;
    }
    Some(IssuerKey { algorithm, decoding: DecodingKey::from_jwk(jwk).ok()? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_keys_that_can_be_used_are_kept() {
        let modulus = |bytes: usize| URL_SAFE_NO_PAD.encode(vec![0xc1; bytes]);
        let coordinate = URL_SAFE_NO_PAD.encode([7; 32]);
        let rsa = |kid: &str, bytes: usize| json!({ "kty": "RSA", "kid": kid, "n": modulus(bytes), "e": "AQAB" });
        let mut encrypts = rsa("encrypts", 256);
        encrypts["use"] = "enc".into();
        let mut other = rsa("other algorithm", 256);
        other["alg"] = "RS512".into();
        let mut named = rsa("named", 512);
        named["alg"] = "RS256".into();
        let set = json!({ "keys": [
            rsa("rsa", 256), rsa("short", 128), rsa("long", 1024), encrypts, other, named,
            { "kty": "RSA", "n": modulus(256), "e": "AQAB" },
            { "kty": "oct", "kid": "secret", "k": modulus(32) },
            { "kty": "EC", "kid": "p256", "crv": "P-256", "x": coordinate, "y": coordinate },
            { "kty": "EC", "kid": "p384", "crv": "P-384", "x": coordinate, "y": coordinate },
            { "kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": coordinate, "alg": "EdDSA", "use": "sig" },
            { "kty": "OKP", "kid": "x", "crv": "X25519", "x": coordinate },
            { "kty": "PQ", "kid": "future" }, 7, null,
        ] });
        let keys = read(set.to_string().as_bytes()).unwrap();
        let mut names: Vec<_> = keys.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["ed", "named", "p256", "rsa"]);
        assert!(read(b"[]").is_err() && read(b"{}").is_err() && read(b"<html>").is_err());
    }
}
