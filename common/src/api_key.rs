//! The seam by which the gateway recognises the API keys that scripts show: the domain that issues them implements it.

use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::{Client, Error, Viewer};

/// Knows API keys.
pub trait KeyVerifier: Send + Sync {
    /// For whom the key `secret`, shown by `client`, acts, and until when it is good unless it is revoked; `None` when it is not good. The
    /// viewer has at least one scope: `read` to run queries and subscriptions, `write` to run mutations. Its session stands for the key and is
    /// among the [`crate::Revocations`] as soon as the key is revoked.
    fn identify<'a>(
        &'a self,
        secret: &'a str,
        client: &'a Client,
    ) -> BoxFuture<'a, Result<Option<(Viewer, Timestamp)>, Error>>;
}
