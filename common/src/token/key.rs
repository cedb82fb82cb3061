//! A key that signs access tokens, or only verifies them.
//!
//! Its name is its thumbprint (RFC 7638), so that it is the same wherever the key is. Refused: other keys than Ed25519 in PEM form,
//! and secrets of fewer than 32 bytes, which is what HS256 takes (RFC 7518, section 3.2).

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{SigningKey, VerifyingKey};
use jiff::Timestamp;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use secrecy::{ExposeSecret, SecretString};

/// The fewest bytes a secret of HS256 has.
const MIN_SECRET: usize = 32;

/// How access tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyAlgorithm {
    /// Ed25519: whoever only verifies need not hold what signs.
    #[default]
    EdDsa,
    /// A shared secret, for verifiers that know nothing else.
    Hs256,
}

impl KeyAlgorithm {
    /// The name that a token's header has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }

    const fn algorithm(self) -> Algorithm {
        match self {
            Self::EdDsa => Algorithm::EdDSA,
            Self::Hs256 => Algorithm::HS256,
        }
    }
}

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is not of the kind that is used here.
    #[error("not an Ed25519 key in PEM form, private (PKCS #8) or public (SPKI): {0}")]
    Pem(String),
    /// It is too short to be safe.
    #[error("a secret for HS256 has {MIN_SECRET} bytes or more")]
    ShortSecret,
    /// Nothing could be signed, or nothing verified.
    #[error("there is no key")]
    None,
}

impl KeyError {
    fn pem(error: impl std::fmt::Display) -> Self {
        Self::Pem(error.to_string())
    }
}

/// A key with its name.
#[derive(Clone)]
pub struct TokenKey {
    pub(super) kid: String,
    pub(super) made: Timestamp,
    pub(super) algorithm: KeyAlgorithm,
    pub(super) encoding: Option<EncodingKey>,
    pub(super) decoding: DecodingKey,
    /// What others verify by; none for a secret.
    pub(super) public: Option<Jwk>,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenKey({} {})", self.algorithm.as_str(), self.kid)
    }
}

impl TokenKey {
    /// The Ed25519 key in `pem`, which was made at `made`. A private key signs and verifies, a public one only verifies.
    ///
    /// # Errors
    /// [`KeyError::Pem`] when it is none.
    pub fn from_pem(pem: &SecretString, made: Timestamp) -> Result<Self, KeyError> {
        let text = pem.expose_secret();
        let (verifying, encoding) = if text.contains("PUBLIC KEY") {
            (VerifyingKey::from_public_key_pem(text.trim()).map_err(KeyError::pem)?, None)
        } else {
            let key = SigningKey::from_pkcs8_pem(text).map_err(KeyError::pem)?;
            let encoding = EncodingKey::from_ed_pem(text.as_bytes()).map_err(KeyError::pem)?;
            (key.verifying_key(), Some(encoding))
        };
        let public = verifying.to_public_key_pem(LineEnding::LF).map_err(KeyError::pem)?;
        let decoding = DecodingKey::from_ed_pem(public.as_bytes()).map_err(KeyError::pem)?;
        let mut jwk =
            Jwk::from_decoding_key(&decoding, Some(Algorithm::EdDSA)).map_err(KeyError::pem)?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(KeyError::pem)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let algorithm = KeyAlgorithm::EdDsa;
        Ok(Self { kid, made, algorithm, encoding, decoding, public: Some(jwk) })
    }

    /// The secret of HS256 that was made at `made`.
    ///
    /// # Errors
    /// [`KeyError::ShortSecret`] when it has fewer than 32 bytes.
    pub fn from_secret(secret: &SecretString, made: Timestamp) -> Result<Self, KeyError> {
        let secret = secret.expose_secret().trim_end().as_bytes();
        if secret.len() < MIN_SECRET {
            return Err(KeyError::ShortSecret);
        }
        let decoding = DecodingKey::from_secret(secret);
        let kid = Jwk::from_decoding_key(&decoding, Some(Algorithm::HS256))
            .and_then(|jwk| jwk.thumbprint(ThumbprintHash::SHA256))
            .map_err(KeyError::pem)?;
        let encoding = Some(EncodingKey::from_secret(secret));
        Ok(Self { kid, made, algorithm: KeyAlgorithm::Hs256, encoding, decoding, public: None })
    }

    /// A new private key in PKCS #8 PEM form.
    ///
    /// # Errors
    /// [`KeyError::Pem`] when it cannot be written in that form.
    pub fn generate_pem() -> Result<SecretString, KeyError> {
        let key = SigningKey::from_bytes(&rand::random());
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(KeyError::pem)?;
        Ok(SecretString::from(pem.to_string()))
    }

    /// Its name, which tokens that it signed carry as `kid`.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// When it was made.
    #[must_use]
    pub const fn made(&self) -> Timestamp {
        self.made
    }

    /// What it signs by.
    #[must_use]
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// Whether it can sign: a public key cannot.
    #[must_use]
    pub const fn can_sign(&self) -> bool {
        self.encoding.is_some()
    }

    pub(super) const fn jwt_algorithm(&self) -> Algorithm {
        self.algorithm.algorithm()
    }
}
