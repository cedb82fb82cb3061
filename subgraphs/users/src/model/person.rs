//! Which person of another issuer an account belongs to.

use common::vouched::Vouched;
use sha2::{Digest, Sha256};

/// Issuer and subject together, of which only this is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PersonKey(pub [u8; 32]);

impl PersonKey {
    /// Of a person. No two issuers and subjects have the same.
    #[must_use]
    pub fn of(person: &Vouched) -> Self {
        let mut hash = Sha256::new();
        for part in [&person.issuer, &person.subject] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}
