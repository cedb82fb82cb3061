//! Who is asking. Identity knows nothing of HTTP: the gateway makes a [`Caller`] from whatever credentials arrived,
//! and every domain decides by it.

use std::fmt;
use std::sync::Arc;

use async_graphql::Enum;
use serde::{Deserialize, Serialize};

use crate::{Client, Error, SessionId, UserId};

/// What a person may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Enum, Serialize, Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Everyone who has an account.
    User,
    /// Those who may use what is not open to all yet.
    Beta,
    /// Those who run the installation.
    Admin,
}

/// The roles of one person. `USER` is always among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Roles {
    /// Whether `BETA` is among them.
    pub beta: bool,
    /// Whether `ADMIN` is among them.
    pub admin: bool,
}

impl Roles {
    /// Whether `role` is among them.
    #[must_use]
    pub const fn contains(self, role: Role) -> bool {
        match role {
            Role::User => true,
            Role::Beta => self.beta,
            Role::Admin => self.admin,
        }
    }

    /// The roles as a list, in the order of the enum.
    #[must_use]
    pub fn list(self) -> Vec<Role> {
        [Role::User, Role::Beta, Role::Admin]
            .into_iter()
            .filter(|role| self.contains(*role))
            .collect()
    }
}

/// A signed-in person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// Whose account it is.
    pub user: UserId,
    /// The session the credentials belong to.
    pub session: SessionId,
    /// What the person may do, as of when the credentials were made.
    pub roles: Roles,
    /// Whether the person has shown to read mail sent to the account's address, as of then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
    /// What the credentials allow, where they say so: the scopes of OAuth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

impl Viewer {
    /// A viewer whose address is not verified, and whose credentials name no scopes.
    #[must_use]
    pub const fn new(user: UserId, session: SessionId, roles: Roles) -> Self {
        Self { user, session, roles, verified: false, scopes: Vec::new() }
    }
}

/// The refresh token that a browser sent as a cookie. It is not shown when it is printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefreshCookie(pub String);

impl fmt::Debug for RefreshCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshCookie")
    }
}

/// Everything a domain is told about a request besides the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The signed-in person, if there is one.
    pub viewer: Option<Viewer>,
    /// Ties the log lines of one request together across services.
    pub request_id: Arc<str>,
    /// Where the request comes from.
    pub client: Client,
    /// With a mutation: the refresh token that the browser keeps, if it does.
    pub refresh_cookie: Option<RefreshCookie>,
}

impl Caller {
    /// `viewer`, or nobody, of whose client nothing is known.
    #[must_use]
    pub fn new(viewer: Option<Viewer>, request_id: impl Into<Arc<str>>) -> Self {
        let (request_id, client) = (request_id.into(), Client::default());
        Self { viewer, request_id, client, refresh_cookie: None }
    }

    /// Somebody who has not signed in.
    #[must_use]
    pub fn anonymous(request_id: impl Into<Arc<str>>) -> Self {
        Self::new(None, request_id)
    }

    /// The signed-in person.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in.
    pub fn viewer(&self) -> Result<&Viewer, Error> {
        self.viewer.as_ref().ok_or(Error::Unauthenticated)
    }

    /// The signed-in person, whose address must be verified.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Unverified`] when it is not.
    pub fn verified(&self) -> Result<&Viewer, Error> {
        let viewer = self.viewer()?;
        if viewer.verified { Ok(viewer) } else { Err(Error::Unverified) }
    }

    /// The signed-in person, who must have `role`.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Forbidden`] when the role is missing.
    pub fn with_role(&self, role: Role) -> Result<&Viewer, Error> {
        let viewer = self.viewer()?;
        if viewer.roles.contains(role) { Ok(viewer) } else { Err(Error::Forbidden { needs: role }) }
    }
}
