//! Mail that waits to be sent, and the single-use secrets that go with it.
//!
//! What waits says only what for and to whom. The text, and the secret of its link, are made when it is sent: neither is ever stored.

use std::fmt;
use std::str::FromStr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{MailId, UserId};
use jiff::Timestamp;

use super::{Email, TokenHash};

/// What a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// To a new account: a link that shows that its owner reads mail to the address.
    VerifyEmail,
    /// To an account that somebody tried to make a second time.
    AddressTaken,
    /// A link by which a new password can be set.
    ResetPassword,
    /// The password was changed: a warning to the owner, should it have been somebody else.
    PasswordChanged,
    /// The account will be deleted, and how that can be stopped.
    DeletionRequested,
    /// To the address that an account is to have: a link that shows that its owner reads mail sent there.
    ConfirmEmailChange,
    /// What becomes of that when the address has an account already: to its owner.
    AddressWanted,
    /// To the present address, when another was asked for.
    EmailChangeRequested,
    /// To the former address: a link that undoes the change.
    EmailChanged,
}

impl MailKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::VerifyEmail,
        Self::AddressTaken,
        Self::ResetPassword,
        Self::PasswordChanged,
        Self::DeletionRequested,
        Self::ConfirmEmailChange,
        Self::AddressWanted,
        Self::EmailChangeRequested,
        Self::EmailChanged,
    ];

    /// The name by which stores keep it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::AddressTaken => "address-taken",
            Self::ResetPassword => "reset-password",
            Self::PasswordChanged => "password-changed",
            Self::DeletionRequested => "deletion-requested",
            Self::ConfirmEmailChange => "confirm-email-change",
            Self::AddressWanted => "address-wanted",
            Self::EmailChangeRequested => "email-change-requested",
            Self::EmailChanged => "email-changed",
        }
    }
}

/// A name of a kind that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of a mail")]
pub struct UnknownMailKind(String);

impl FromStr for MailKind {
    type Err = UnknownMailKind;

    fn from_str(text: &str) -> Result<Self, UnknownMailKind> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| UnknownMailKind(text.to_owned()))
    }
}

/// A mail that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// Which one. Its message id is made of this, so that a mail that is sent twice after a crash is recognised as one.
    pub id: MailId,
    /// What it is for.
    pub kind: MailKind,
    /// To whom.
    pub recipient: Email,
    /// Whose account it is about, where that is not the one with the recipient's address.
    pub about: Option<UserId>,
    /// How often sending it was begun.
    pub attempts: u32,
    /// When it may be sent: now, or after a while when it could not be sent before.
    pub due_at: Timestamp,
    /// When it was queued.
    pub created_at: Timestamp,
}

impl QueuedMail {
    /// A mail to be sent as soon as can be.
    #[must_use]
    pub fn new(kind: MailKind, recipient: Email, now: Timestamp) -> Self {
        let id = MailId::new();
        Self { id, kind, recipient, about: None, attempts: 0, due_at: now, created_at: now }
    }

    /// The same about the account of `user`, which has another address than the recipient's.
    #[must_use]
    pub fn about(self, user: UserId) -> Self {
        Self { about: Some(user), ..self }
    }
}

/// What the secret of a link is good for. One made for a purpose is good for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To show that the owner of the account reads mail to its address.
    VerifyEmail,
    /// To set a new password.
    ResetPassword,
    /// To give the account the address that the mail was sent to.
    ChangeEmail,
    /// To give the account its former address again, which the mail was sent to, and a new password.
    UndoEmailChange,
}

impl Purpose {
    /// The name by which stores keep it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
            Self::ChangeEmail => "change-email",
            Self::UndoEmailChange => "undo-email-change",
        }
    }

    /// Whether a secret that is used leaves earlier ones for the same good. Only who had the address before may have the last word.
    #[must_use]
    pub const fn spares_earlier(self) -> bool {
        matches!(self, Self::UndoEmailChange)
    }
}

/// The secret of a link in a mail: 256 random bits. Only its hash is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct MailSecret([u8; 32]);

impl MailSecret {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// Reads a secret as the client sent it; `None` for what was never one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut secret = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut secret) {
            Ok(32) => Some(Self(secret)),
            _ => None,
        }
    }

    /// The form that stands in a link.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// By which it is found.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for MailSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailSecret")
    }
}

/// What is kept of the secret of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailToken {
    /// Of the secret.
    pub hash: TokenHash,
    /// Whose account it is about.
    pub user: UserId,
    /// What it is good for.
    pub purpose: Purpose,
    /// The address that it was sent to.
    pub email: Email,
    /// Until when.
    pub expires_at: Timestamp,
}

/// What a secret that is good says of who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailGrant {
    /// Whose account it is about.
    pub user: UserId,
    /// The address that it was sent to.
    pub email: Email,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for kind in MailKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert!("spam".parse::<MailKind>().is_err());
    }

    #[test]
    fn a_secret_round_trips_and_other_text_is_none() {
        let secret = MailSecret::generate();
        assert_eq!(MailSecret::parse(&secret.encode()), Some(secret.clone()));
        assert_ne!(MailSecret::generate().hash(), secret.hash());
        assert_eq!(format!("{secret:?}"), "MailSecret");
        let encoded = secret.encode();
        for text in ["", "a", &encoded[1..], &format!("{encoded}A"), &"A".repeat(1 << 20)] {
            assert_eq!(MailSecret::parse(text), None, "{text:.50}");
        }
    }
}
