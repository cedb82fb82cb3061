//! Accounts and sessions, and the values they are made of. A value that exists is valid: each constructor refuses what does not keep
//! the rules, and names the argument, what was wrong and what is accepted.

mod api_key;
mod audit;
mod email;
mod limit;
mod mail;
mod password;
mod person;
mod profile;
mod session;
mod user;

pub use api_key::{ApiKey, ApiScope, ApiSecret, NewApiKey};
pub use audit::{SecurityEvent, SecurityEventKind, UnknownKind};
pub use email::Email;
pub use limit::{Attempt, AttemptKey, Backoff};
pub use mail::{MailGrant, MailKind, MailSecret, MailToken, Purpose, QueuedMail, UnknownMailKind};
pub use password::{NewPassword, PasswordHash, TypedPassword};
pub use person::PersonKey;
pub use profile::{PersonName, RolloverHour, TimeZoneName};
pub use session::{RefreshToken, Seed, Session, TokenHash};
pub use user::User;
