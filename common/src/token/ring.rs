//! The keys that are in use at a time: the newest signs, all verify.

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::JwkSet;

use super::key::{KeyError, TokenKey};

/// How old a key is before it signs, when there is an older one that can: by then every process has seen it and knows its tokens.
pub const KEY_GRACE: SignedDuration = SignedDuration::from_secs(10);

/// Keys, the oldest first.
#[derive(Debug, Clone)]
pub struct KeyRing(Vec<TokenKey>);

impl KeyRing {
    /// These keys. Two that were made at the same moment keep their order.
    ///
    /// # Errors
    /// [`KeyError::None`] when there is none.
    pub fn new(mut keys: Vec<TokenKey>) -> Result<Self, KeyError> {
        keys.sort_by_key(TokenKey::made);
        if keys.is_empty() { Err(KeyError::None) } else { Ok(Self(keys)) }
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn keys(&self) -> &[TokenKey] {
        &self.0
    }

    /// The one that signs at `now`: the newest that can and is older than [`KEY_GRACE`], else the oldest that can.
    #[must_use]
    pub fn signing(&self, now: Timestamp) -> Option<&TokenKey> {
        let old_enough =
            |key: &&TokenKey| key.made.saturating_add(KEY_GRACE).is_ok_and(|at| at <= now);
        let mut able = self.0.iter().filter(|key| key.can_sign());
        able.clone().rev().find(old_enough).or_else(|| able.next())
    }

    /// The key of that name.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&TokenKey> {
        self.0.iter().find(|key| key.kid == kid)
    }

    /// What others verify by, as RFC 7517 has it: public keys alone, never a secret.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        JwkSet { keys: self.0.iter().filter_map(|key| key.public.clone()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn key(made: i64) -> TokenKey {
        TokenKey::from_pem(&TokenKey::generate_pem().unwrap(), at(made)).unwrap()
    }

    fn signing(ring: &KeyRing, now: i64) -> &str {
        ring.signing(at(now)).unwrap().kid()
    }

    #[test]
    fn the_newest_key_signs_once_every_process_knows_it() {
        let [first, second] = [key(100), key(200)];
        let ring = KeyRing::new(vec![second.clone(), first.clone()]).unwrap();
        assert_eq!(signing(&ring, 209), first.kid());
        assert_eq!(signing(&ring, 210), second.kid());
        assert!(ring.find(first.kid()).is_some() && ring.find("../first").is_none());
        assert_eq!(signing(&KeyRing::new(vec![first.clone()]).unwrap(), 100), first.kid());
        assert!(KeyRing::new(Vec::new()).is_err());
    }

    #[test]
    fn public_keys_are_published_and_secrets_are_not() {
        let secret = SecretString::from("a secret of thirty-two characters");
        let hs256 = TokenKey::from_secret(&secret, at(3)).unwrap();
        let ed25519 = key(1);
        let ring = KeyRing::new(vec![hs256.clone(), ed25519.clone()]).unwrap();
        let jwks = serde_json::to_value(ring.jwks()).unwrap();
        assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
        let jwk = jwks["keys"][0].as_object().unwrap();
        let names: Vec<_> = jwk.keys().map(String::as_str).collect();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
        assert_eq!(
            (&jwk["alg"], &jwk["kty"], &jwk["use"]),
            (&"EdDSA".into(), &"OKP".into(), &"sig".into())
        );
        assert_eq!(jwk["kid"], ed25519.kid());
        assert_ne!(hs256.kid(), ed25519.kid());
        assert!(TokenKey::from_secret(&"short".into(), at(0)).is_err());
    }
}
