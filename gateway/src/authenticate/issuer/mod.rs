//! People whom another issuer vouches for: an identity provider whose keys are fetched, not shared.
//!
//! Refused besides what [`jws`] refuses: tokens signed by a key that the issuer does not publish, or by another algorithm than RS256, ES256
//! or EdDSA, and tokens without a subject.

mod key;
mod key_set;
mod person;

use std::time::Duration;

use common::token::jws::{Expected, Unverified};
use common::token::{Accepted, TokenError};
use common::vouched::Vouched;
use jiff::{SignedDuration, Timestamp};
use url::{Host, Url};

use crate::http_client::ClientSetupError;
use key_set::KeySet;
use person::Mapping;

/// The issuer of this installation's own tokens.
const OWN: &str = "spacey";

/// An issuer of access tokens besides this installation.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// Its name, as `iss` has it.
    pub issuer: String,
    /// What `aud` must name: this installation, as the issuer calls it.
    pub audience: String,
    /// Where it publishes its keys as a JWK set: `https`, or `http` on a loopback address.
    pub keys_url: Url,
    /// How far its clock may be from ours.
    pub leeway: Duration,
    /// The claim that holds the id of an account here, a UUID. Without it the id is derived from issuer and subject.
    pub user_claim: Option<String>,
    /// The claim that lists roles, among which `beta` and `admin` count here. Without it nobody has any.
    pub roles_claim: Option<String>,
    /// Whether its people get accounts by themselves, which are then found by issuer and subject, not by an id that is derived.
    pub accounts: bool,
    /// How its keys are fetched.
    pub fetching: KeyFetchSettings,
}

impl IssuerSettings {
    /// An issuer with the usual bounds, whose people have no roles and ids that are derived.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, keys_url: Url) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            keys_url,
            leeway: Duration::from_secs(30),
            user_claim: None,
            roles_claim: None,
            accounts: false,
            fetching: KeyFetchSettings::default(),
        }
    }

    /// Whether nobody can replace what comes from `url` on its way.
    #[must_use]
    pub fn is_safe(url: &Url) -> bool {
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return false,
        };
        url.scheme() == "https" || (url.scheme() == "http" && loopback)
    }
}

/// How an issuer's keys are fetched.
#[derive(Debug, Clone)]
pub struct KeyFetchSettings {
    /// After which time keys are fetched again, while those that are known are used.
    pub max_age: Duration,
    /// The least time between two fetches, whoever sends whatever tokens.
    pub min_interval: Duration,
    /// How long a fetch may take.
    pub timeout: Duration,
    /// The largest JWK set, in bytes.
    pub max_bytes: usize,
}

impl Default for KeyFetchSettings {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(300),
            min_interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            max_bytes: 256 << 10,
        }
    }
}

/// An issuer that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// Its keys could be replaced on the way.
    #[error("the keys of the issuer are at {0}: https is accepted, or http on a loopback address")]
    Insecure(Url),
    /// It would pass for this installation.
    #[error("an issuer may not be called {OWN:?}: that is this installation itself")]
    Own,
    /// Nothing can be fetched from it.
    #[error("the keys of the issuer cannot be fetched")]
    Client(#[from] ClientSetupError),
}

/// Recognises people by what another issuer says.
#[derive(Debug)]
pub(super) struct Issuer {
    name: String,
    audience: String,
    leeway: SignedDuration,
    keys: KeySet,
    mapping: Mapping,
    accounts: bool,
}

impl Issuer {
    pub(super) fn new(settings: IssuerSettings) -> Result<Self, IssuerError> {
        if settings.issuer == OWN {
            return Err(IssuerError::Own);
        }
        if !IssuerSettings::is_safe(&settings.keys_url) {
            return Err(IssuerError::Insecure(settings.keys_url));
        }
        let leeway = SignedDuration::try_from(settings.leeway).unwrap_or(SignedDuration::ZERO);
        let keys = KeySet::new(&settings.keys_url, settings.fetching)?;
        let mapping = Mapping::new(&settings.issuer, settings.user_claim, settings.roles_claim);
        let IssuerSettings { issuer: name, audience, accounts, .. } = settings;
        Ok(Self { name, audience, leeway, keys, mapping, accounts })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Who the token's bearer is; for an account, where they get one.
    pub(super) async fn accept(
        &self,
        token: Unverified<'_>,
        now: Timestamp,
    ) -> Result<(Accepted, Option<Vouched>), TokenError> {
        let key = match token.kid() {
            Some(kid) => self.keys.find(kid).await,
            None => None,
        };
        let key = key.ok_or(TokenError::Invalid)?;
        let claims = token.verify(key.algorithm, &key.decoding)?;
        let (issuer, audience, leeway) = (&*self.name, &*self.audience, self.leeway);
        let expires = Expected { issuer, audience, leeway }.check(&claims, now)?;
        let viewer = self.mapping.viewer(&claims).ok_or(TokenError::Invalid)?;
        let person = self.accounts.then(|| person::vouched(&self.name, &claims)).flatten();
        Ok((Accepted { viewer, expires }, person))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_by_a_way_on_which_nobody_can_replace_them() {
        let made = |issuer: &str, url: &str| {
            Issuer::new(IssuerSettings::new(issuer, "spacey", url.parse().unwrap())).map(|_| ())
        };
        for url in [
            "https://id.example/keys",
            "http://127.0.0.1:1/k",
            "http://[::1]/k",
            "http://localhost/k",
        ] {
            assert!(made("https://id.example", url).is_ok(), "{url}");
        }
        for url in [
            "http://id.example/keys",
            "http://127.0.0.1.example/k",
            "ftp://127.0.0.1/k",
            "file:///k",
        ] {
            assert!(
                matches!(made("https://id.example", url), Err(IssuerError::Insecure(_))),
                "{url}"
            );
        }
        assert!(matches!(made("spacey", "https://id.example/keys"), Err(IssuerError::Own)));
    }
}
