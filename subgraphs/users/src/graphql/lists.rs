//! Long lists as Relay connections: accounts and security events.

use async_graphql::{Object, SimpleObject};
use common::UserId;
use common::graphql::{DateTime, PageInfo};
use common::page::{Page, encode_cursor};

use super::types::{Origin, User};
use crate::model::{self, SecurityEventKind};

/// How many rows a page has unless said otherwise.
pub(super) const DEFAULT_PAGE: u32 = 50;

/// A page of accounts.
pub(super) struct UserConnection(pub(super) Page<model::User>);

/// A page of accounts, oldest first.
#[Object]
impl UserConnection {
    /// The accounts with their cursors.
    async fn edges(&self) -> Vec<UserEdge> {
        let edge = |user: &model::User| UserEdge {
            cursor: encode_cursor(&user.id),
            node: User(user.clone()),
        };
        self.0.rows.iter().map(edge).collect()
    }

    /// The accounts.
    async fn nodes(&self) -> Vec<User> {
        self.0.rows.iter().cloned().map(User).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.0, |user| encode_cursor(&user.id))
    }
}

/// An account in a list.
#[derive(SimpleObject)]
struct UserEdge {
    /// Names the account's place in the list, for `after` and `before`.
    cursor: String,
    /// The account.
    node: User,
}

/// Something that happened to an account's security.
#[derive(Clone)]
pub(super) struct SecurityEvent(model::SecurityEvent);

/// Something that happened to an account's security.
#[Object]
impl SecurityEvent {
    /// What happened.
    async fn kind(&self) -> SecurityEventKind {
        self.0.kind
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// Whose account it is about; null when the address that was given has none.
    async fn user_id(&self) -> Option<UserId> {
        self.0.user
    }

    /// Who did it, where somebody was signed in: the owner, or an administrator.
    async fn actor_id(&self) -> Option<UserId> {
        self.0.actor
    }

    /// From where.
    async fn origin(&self) -> Origin {
        Origin::of(&self.0.client)
    }

    /// What exactly, such as the name of an API key or of a role, or an address.
    async fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }
}

/// A page of security events.
pub(super) struct SecurityEventConnection(pub(super) Page<model::SecurityEvent>);

/// A page of security events, newest first.
#[Object]
impl SecurityEventConnection {
    /// The events with their cursors.
    async fn edges(&self) -> Vec<SecurityEventEdge> {
        let edge = |event: &model::SecurityEvent| SecurityEventEdge {
            cursor: encode_cursor(&event.id),
            node: SecurityEvent(event.clone()),
        };
        self.0.rows.iter().map(edge).collect()
    }

    /// The events.
    async fn nodes(&self) -> Vec<SecurityEvent> {
        self.0.rows.iter().cloned().map(SecurityEvent).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.0, |event| encode_cursor(&event.id))
    }
}

/// A security event in a list.
#[derive(SimpleObject)]
struct SecurityEventEdge {
    /// Names the event's place in the list, for `after` and `before`.
    cursor: String,
    /// The event.
    node: SecurityEvent,
}
