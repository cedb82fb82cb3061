//! Keys by which scripts act for a person: `sk_spacey_`, 32 random letters and digits, and a checksum of 6.
//!
//! The fixed beginning lets scanners find keys in places where they must not be, the checksum lets them, and us, tell one from what only
//! looks like it without asking a store. Of a key its hash and its first letters are kept.

use std::fmt;

use async_graphql::Enum;
use common::api_key::{KEY_BEGINNING as BEGINNING, READ, WRITE};
use common::{ApiKeyId, Error, UserId};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;

use super::TokenHash;

/// How many random characters follow: 190 bits.
const RANDOM: usize = 32;
/// How many characters of a checksum end it.
const CHECKSUM: usize = 6;
/// How many characters of a key its owner is shown later, to tell it from others.
const SHOWN: usize = BEGINNING.len() + 4;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Most characters of a key's name.
const MAX_NAME: usize = 50;
/// The longest a key may be good for.
const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
pub enum ApiScope {
    /// To run queries and subscriptions: to read what its owner may read.
    Read,
    /// To run mutations: to change what its owner may change, but for the account and its security.
    Write,
}

impl ApiScope {
    /// The scope's name in [`common::Viewer::scopes`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => READ,
            Self::Write => WRITE,
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Read, Self::Write].into_iter().find(|scope| scope.as_str() == name)
    }
}

/// A key, as its owner keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiSecret(String);

impl ApiSecret {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        let mut rng = rand::rng();
        let random = (0..RANDOM).map(|_| char::from(BASE62[rng.random_range(0..BASE62.len())]));
        let mut key: String = BEGINNING.chars().chain(random).collect();
        let checksum = checksum(&key);
        key.push_str(&checksum);
        Self(key)
    }

    /// Reads a key as a client sent it; `None` for what was never one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_long_enough = text.len() == BEGINNING.len() + RANDOM + CHECKSUM;
        if !is_long_enough || !text.is_ascii() || !text.starts_with(BEGINNING) {
            return None;
        }
        let (key, sum) = text.split_at(BEGINNING.len() + RANDOM);
        (sum == checksum(key)).then(|| Self(text.to_owned()))
    }

    /// The key itself, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its first characters, to be shown later.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0[..SHOWN]
    }

    /// By which it is found. It has 190 random bits, so it cannot be guessed from this.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.0.as_bytes())
    }
}

impl fmt::Debug for ApiSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiSecret")
    }
}

/// CRC-32 as six digits of base 62.
fn checksum(key: &str) -> String {
    let mut rest = crc32fast::hash(key.as_bytes()) as usize;
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[rest % 62];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// What somebody wants a key to be: valid by its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// What its owner calls it: 1 to 50 characters on one line.
    pub name: String,
    /// What it may be used for: at least one, in order, each once.
    pub scopes: Vec<ApiScope>,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl NewApiKey {
    /// Checks what was asked for.
    ///
    /// # Errors
    /// [`Error::Invalid`] that names the argument.
    pub fn new(
        name: &str,
        scopes: &[ApiScope],
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let name = name.trim();
        let fine = |c: char| !c.is_control() && !super::profile::turns_text(c);
        if name.len() > 16 * MAX_NAME
            || !(1..=MAX_NAME).contains(&name.chars().count())
            || !name.chars().all(fine)
        {
            let message = format!(
                "a key's name is one line of 1 to {MAX_NAME} characters without control characters"
            );
            return Err(Error::invalid("input.name", message));
        }
        if scopes.is_empty() {
            return Err(Error::invalid("input.scopes", "a key needs a scope: READ, WRITE or both"));
        }
        let latest = now.saturating_add(MAX_LIFETIME).unwrap_or(Timestamp::MAX);
        if expires_at <= now || expires_at > latest {
            return Err(Error::invalid(
                "input.expiresAt",
                "a key expires in the future, at most 366 days from now",
            ));
        }
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        Ok(Self { name: name.to_owned(), scopes, expires_at })
    }
}

/// A key by which scripts act for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Which one.
    pub id: ApiKeyId,
    /// For whom.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// The first characters of the key.
    pub prefix: String,
    /// Of the whole key.
    pub hash: TokenHash,
    /// What it may be used for.
    pub scopes: Vec<ApiScope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_round_trips_and_other_text_is_none() {
        let secret = ApiSecret::generate();
        let text = secret.expose().to_owned();
        assert!(common::api_key::can_be_key(&text));
        assert!(text.starts_with(secret.prefix()) && secret.prefix().len() == 14);
        assert_eq!(ApiSecret::parse(&text), Some(secret.clone()));
        assert_ne!(ApiSecret::generate(), secret);
        assert_eq!(format!("{secret:?}"), "ApiSecret");
        let mut typo = text.clone().into_bytes();
        typo[20] = if typo[20] == b'x' { b'y' } else { b'x' };
        let typo = String::from_utf8(typo).unwrap();
        let long = "x".repeat(1 << 20);
        for other in
            ["", "sk_spacey_", &text[1..], &typo, &format!("{text}0"), &long, &"é".repeat(24)]
        {
            assert_eq!(ApiSecret::parse(other), None, "{other:.60}");
        }
    }

    #[test]
    fn the_checksum_is_crc_32_in_base_62() {
        // The check value of CRC-32, of "123456789", is 0xCBF43926 = 3421780262.
        let expected = 3_421_780_262_usize;
        let value = checksum("123456789").bytes().fold(0, |value, digit| {
            value * 62 + BASE62.iter().position(|known| *known == digit).unwrap()
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn a_new_key_has_a_name_a_scope_and_an_end() {
        let now = Timestamp::now();
        let day = SignedDuration::from_hours(24);
        let scopes = [ApiScope::Write, ApiScope::Read, ApiScope::Write];
        let key = NewApiKey::new(" backup ", &scopes, now + day, now).unwrap();
        assert_eq!((&*key.name, &*key.scopes), ("backup", &[ApiScope::Read, ApiScope::Write][..]));
        let read = &[ApiScope::Read][..];
        for (name, scopes, expires_at, argument) in [
            ("", read, now + day, "input.name"),
            ("a\nb", read, now + day, "input.name"),
            ("a\u{202e}b", read, now + day, "input.name"),
            (&"x".repeat(51), read, now + day, "input.name"),
            ("a", &[], now + day, "input.scopes"),
            ("a", read, now, "input.expiresAt"),
            ("a", read, now + day * 367, "input.expiresAt"),
        ] {
            let error = NewApiKey::new(name, scopes, expires_at, now).unwrap_err();
            assert!(error.to_string().starts_with(argument), "{error}");
        }
    }
}
