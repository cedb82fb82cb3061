//! Accounts and sessions, and the values they are made of. A value that exists is valid: each constructor refuses what does not keep
//! the rules, and names the argument, what was wrong and what is accepted.

mod email;
mod password;
mod profile;
mod session;
mod user;

pub use email::Email;
pub use password::{NewPassword, PasswordHash, TypedPassword};
pub use profile::{PersonName, RolloverHour, TimeZoneName};
pub use session::{RefreshToken, Session, TokenHash};
pub use user::User;
