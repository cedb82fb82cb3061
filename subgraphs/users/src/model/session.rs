//! Sessions and their refresh tokens.
//!
//! A refresh token has two halves of 128 bits: one names the family, all tokens that one login led to, and stays; the other is new at
//! each rotation. Of both only hashes are kept. So a token of the family that is not the present one is known to be an old one, which
//! tells that it was copied, without keeping the old ones.
//!
//! The new half is made of the token before and of the session's seed, which only the store knows: so whoever lost an answer can be given the
//! same token again, and nobody who has an old token can make the one that is good now.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{Client, SessionId, UserId};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

const HALF: usize = 16;

/// SHA-256 of a secret. The secret has 128 random bits or more, so it cannot be guessed from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    pub(super) fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }
}

/// A refresh token.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken([u8; 2 * HALF]);

impl RefreshToken {
    /// The first token of a new family.
    #[must_use]
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// The next token of the same family, always the same for a session's seed.
    #[must_use]
    pub fn next(&self, seed: &Seed) -> Self {
        let digest = Sha256::new().chain_update(seed.0).chain_update(self.0).finalize();
        let mut next = self.clone();
        next.0[HALF..].copy_from_slice(&digest[..HALF]);
        next
    }

    /// Reads a token as the client sent it; `None` for what was never one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut token = [0; 2 * HALF];
        // The buffer is exactly as long as a token, so a longer text does not fit and a shorter one does not fill it.
        match URL_SAFE_NO_PAD.decode_slice(text, &mut token) {
            Ok(length) if length == token.len() => Some(Self(token)),
            _ => None,
        }
    }

    /// The form a client keeps.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// By which its session is found.
    #[must_use]
    pub fn family_hash(&self) -> TokenHash {
        TokenHash::of(&self.0[..HALF])
    }

    /// By which the present token of a session is told from its old ones.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken")
    }
}

/// What the tokens of a session are made of besides one another: 256 random bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self(rand::random())
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed")
    }
}

/// A signed-in device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which one: access tokens name it.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// What all its refresh tokens have in common.
    pub family: TokenHash,
    /// The refresh token that is good now.
    pub token: TokenHash,
    /// What its next tokens are made of.
    pub seed: Seed,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When it was refreshed last.
    pub refreshed_at: Timestamp,
    /// When its refresh token expires.
    pub expires_at: Timestamp,
    /// When it was ended, by its owner or because an old token turned up.
    pub revoked_at: Option<Timestamp>,
    /// From where it was used last.
    pub client: Client,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_round_trips_and_its_next_is_of_the_same_family() {
        let token = RefreshToken::generate();
        assert_eq!(RefreshToken::parse(&token.encode()), Some(token.clone()));
        let seed = Seed::generate();
        let next = token.next(&seed);
        assert_eq!(next.family_hash(), token.family_hash());
        assert_ne!(next.hash(), token.hash());
        assert_eq!(token.next(&seed), next, "whoever lost it gets it again");
        assert_ne!(token.next(&Seed::generate()), next, "whoever has a token cannot make the next");
        assert_ne!(RefreshToken::generate().family_hash(), token.family_hash());
    }

    #[test]
    fn what_is_no_token_is_not_read_as_one() {
        let token = RefreshToken::generate().encode();
        let long = "A".repeat(1 << 20);
        for text in ["", "A", &token[1..], &format!("{token}A"), &format!("{token}="), "é", &long]
        {
            assert_eq!(RefreshToken::parse(text), None, "{text:.50}");
        }
    }
}
