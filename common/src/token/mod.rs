//! Signed tokens: what a person carries ([`AccessTokens`]), and what the gateway hands to a remote subgraph ([`ServiceTokens`]).
//!
//! A key goes with one algorithm, and a token that names another is refused, as is one without an expiry. Nothing but the name of the
//! key and of the issuer is read before the signature was checked, and those only to find the key.

mod access;
pub mod jws;
mod key;
mod ring;
mod service;

pub use access::{Accepted, AccessTokens};
pub use key::{KeyAlgorithm, KeyError, TokenKey};
pub use ring::{KEY_GRACE, KeyRing};
pub use service::ServiceTokens;

use jiff::SignedDuration;

/// How long an access token is good for unless set otherwise.
pub const ACCESS_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// Who issues tokens here.
const ISSUER: &str = "spacey";

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the token has expired: sign in again or refresh it")]
    Expired,
    /// It is not one of ours, or was changed.
    #[error("the token is not valid")]
    Invalid,
}
