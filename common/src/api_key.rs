//! The seam by which the gateway recognises the API keys that scripts show: the domain that issues them implements it, and where that runs in
//! another process, whoever asks it there.

use std::fmt::Debug;

use futures::future::BoxFuture;

use crate::token::Accepted;
use crate::{Client, EndpointError};

/// How every key begins.
pub const KEY_BEGINNING: &str = "sk_spacey_";
/// How long every key is, in bytes.
pub const KEY_LENGTH: usize = 48;
/// The scope to run queries and subscriptions.
pub const READ: &str = "read";
/// The scope to run mutations.
pub const WRITE: &str = "write";

/// Whether `text` can be a key: what cannot need not be asked for.
#[must_use]
pub fn can_be_key(text: &str) -> bool {
    text.len() == KEY_LENGTH
        && text
            .strip_prefix(KEY_BEGINNING)
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Knows API keys.
pub trait KeyVerifier: Debug + Send + Sync {
    /// For whom the key `secret`, shown by `client`, acts; `None` when it is not good. The viewer has [`READ`], [`WRITE`] or both as scopes, and
    /// never the role ADMIN. Its session stands for the key, and is among the [`crate::Revocations`] as soon as the key is revoked: until
    /// `expires`, which is no later than an access token's would be, nobody need ask again.
    fn identify<'a>(
        &'a self,
        secret: &'a str,
        client: &'a Client,
    ) -> BoxFuture<'a, Result<Option<Accepted>, EndpointError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_by_its_form() {
        let key = format!("{KEY_BEGINNING}{}", "a".repeat(38));
        assert!(can_be_key(&key));
        for other in ["", KEY_BEGINNING, &key[1..], &format!("{key}a"), &key.replace("aa", "é")] {
            assert!(!can_be_key(other), "{other}");
        }
        assert!(!can_be_key(&"sk_spacey_".repeat(1 << 16)));
    }
}
