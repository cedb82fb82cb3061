//! An account.

use common::event::UserChanged;
use common::{Event, Roles, UserId};
use jiff::Timestamp;

use super::{Email, PersonName, RolloverHour, TimeZoneName};

/// A person's account, without what proves that somebody is its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Which one.
    pub id: UserId,
    /// By which it is found at login: no two accounts have the same.
    pub email: Email,
    /// What the person wants to be called.
    pub name: PersonName,
    /// What the person may do.
    pub roles: Roles,
    /// Whether the person has shown to read mail sent to the address.
    pub email_verified: bool,
    /// The address that the account is to have, once its owner has shown to read mail sent there.
    pub pending_email: Option<Email>,
    /// Where the person lives, as far as clocks go.
    pub time_zone: TimeZoneName,
    /// When a new day of learning starts there.
    pub rollover_hour: RolloverHour,
    /// When the account will be deleted, where its owner asked for that.
    pub delete_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Grows by one with each change.
    pub version: i64,
}

impl User {
    /// A new account.
    #[must_use]
    pub fn new(email: Email, name: PersonName, time_zone: TimeZoneName, now: Timestamp) -> Self {
        Self {
            id: UserId::new(),
            email,
            name,
            roles: Roles::default(),
            email_verified: false,
            pending_email: None,
            time_zone,
            rollover_hour: RolloverHour::default(),
            delete_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// What other domains are told of it.
    #[must_use]
    pub fn event(&self) -> Event {
        Event::User(UserChanged {
            user: self.id,
            version: self.version,
            deleted: false,
            time_zone: self.time_zone.as_str().to_owned(),
            rollover_hour: self.rollover_hour.get(),
        })
    }

    /// What other domains are told when it is gone, and keep: nothing but which account it was. Its version is that of its last state and one
    /// more.
    #[must_use]
    pub fn tombstone(&self) -> Event {
        Event::User(UserChanged {
            user: self.id,
            version: self.version,
            deleted: true,
            time_zone: TimeZoneName::default().as_str().to_owned(),
            rollover_hour: RolloverHour::default().get(),
        })
    }
}
