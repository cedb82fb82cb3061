//! What is noted of an account's security: who did what, when and from where.

use std::fmt;
use std::str::FromStr;

use async_graphql::Enum;
use common::{Client, SecurityEventId, UserId};
use jiff::Timestamp;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident = $text:literal,)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        #[graphql(name = "SecurityEventKind")]
        pub enum SecurityEventKind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl SecurityEventKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The name by which stores keep it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }
        }
    };
}

kinds! {
    /// The account was made.
    SignedUp = "signed-up",
    /// Somebody tried to sign up with the account's address.
    SignUpRepeated = "sign-up-repeated",
    /// Somebody signed in.
    LoggedIn = "logged-in",
    /// A wrong password was given.
    LogInFailed = "log-in-failed",
    /// A session was ended by its owner.
    LoggedOut = "logged-out",
    /// One or more sessions were ended: by the owner from another one, or by an administrator.
    SessionsEnded = "sessions-ended",
    /// A refresh token was used twice: it had been copied, and the session was ended.
    RefreshTokenReused = "refresh-token-reused",
    /// The password was changed by somebody who knew the former one.
    PasswordChanged = "password-changed",
    /// Somebody asked for a mail to set a new password by.
    PasswordResetRequested = "password-reset-requested",
    /// A new password was set by way of a mail.
    PasswordReset = "password-reset",
    /// The address was shown to be the owner's.
    EmailVerified = "email-verified",
    /// The owner asked for another address.
    EmailChangeRequested = "email-change-requested",
    /// The account got another address: who asked for it has shown to read mail sent there.
    EmailChanged = "email-changed",
    /// The account got its former address back, by way of a mail.
    EmailChangeUndone = "email-change-undone",
    /// An API key was made.
    ApiKeyCreated = "api-key-created",
    /// An API key was revoked.
    ApiKeyRevoked = "api-key-revoked",
    /// An API key was used: noted once in each hour.
    ApiKeyUsed = "api-key-used",
    /// A role was given.
    RoleGranted = "role-granted",
    /// A role was taken.
    RoleRevoked = "role-revoked",
    /// The owner asked for the account to be deleted.
    DeletionRequested = "deletion-requested",
    /// The owner logged in before the account was deleted, and so kept it.
    DeletionCancelled = "deletion-cancelled",
}

/// A name of a kind that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of a security event")]
pub struct UnknownKind(String);

impl FromStr for SecurityEventKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let known = Self::ALL.iter().copied().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

impl fmt::Display for SecurityEventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that happened to an account's security.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityEvent {
    /// Which one; later ones have greater ids.
    pub id: SecurityEventId,
    /// Whose account; none when the address that was given has none.
    pub user: Option<UserId>,
    /// Who did it, where somebody was signed in: the owner, or an administrator.
    pub actor: Option<UserId>,
    /// What happened.
    pub kind: SecurityEventKind,
    /// When.
    pub at: Timestamp,
    /// From where.
    pub client: Client,
    /// What exactly, such as the name of an API key or of a role, or an address.
    pub detail: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_name_of_its_own() {
        for kind in SecurityEventKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert!("LoggedIn".parse::<SecurityEventKind>().is_err());
    }
}
