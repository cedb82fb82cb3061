//! The types that are answered.

use async_graphql::{Object, SimpleObject, Union, Value};
use common::graphql::DateTime;
use common::graphql::fast::{Fast, PlainField};
use common::{Role, UserId};

use crate::model;
use crate::service::SignedIn;

/// A person's account, shown to that person and to those who administer.
#[derive(Debug, Clone)]
pub(crate) struct User(pub(crate) model::User);

/// A person's account, shown to that person and to those with the role ADMIN. To others it does not exist.
#[Object(directive = common::graphql::sdl::key::apply("id".into()))]
impl User {
    /// Its id.
    async fn id(&self) -> UserId {
        self.0.id
    }

    /// The address by which the person logs in, lower-cased: at most 254 bytes.
    async fn email(&self) -> &str {
        self.0.email.as_str()
    }

    /// What the person wants to be called: 1 to 50 characters.
    async fn name(&self) -> &str {
        self.0.name.as_str()
    }

    /// What the person may do. USER is always among it.
    async fn roles(&self) -> Vec<Role> {
        self.0.roles.list()
    }

    /// Whether the person has shown to read mail sent to the address.
    async fn email_verified(&self) -> bool {
        self.0.email_verified
    }

    /// Where the person lives, as far as clocks go: an IANA name such as `Europe/Zurich`.
    async fn time_zone(&self) -> &str {
        self.0.time_zone.as_str()
    }

    /// The hour at which a new day of learning starts: 0 to 23, in the person's time zone.
    async fn rollover_hour(&self) -> u8 {
        self.0.rollover_hour.get()
    }

    /// When the account was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// What other subgraphs can ask this one about.
#[derive(Debug, Clone, Union)]
#[graphql(name = "_Entity")]
pub(crate) enum Entity {
    User(User),
}

impl Fast for Entity {
    fn concrete_type(&self) -> &'static str {
        "User"
    }

    fn plain_field(_concrete_type: &str, field: &str) -> Option<PlainField<Self>> {
        Some(match field {
            "id" => |Self::User(User(user))| user.id.into(),
            "email" => |Self::User(User(user))| user.email.as_str().into(),
            "name" => |Self::User(User(user))| user.name.as_str().into(),
            "emailVerified" => |Self::User(User(user))| user.email_verified.into(),
            "timeZone" => |Self::User(User(user))| user.time_zone.as_str().into(),
            "rolloverHour" => |Self::User(User(user))| Value::from(user.rollover_hour.get()),
            "createdAt" => |Self::User(User(user))| DateTime(user.created_at).into(),
            _ => return None,
        })
    }
}

/// The answer to signing up.
#[derive(Debug, SimpleObject)]
pub(crate) struct SignUpPayload {
    /// The address as it is kept. It has an account now, whether or not it had one before: log in with it.
    pub(crate) email: String,
}

/// What somebody gets who has signed in.
#[derive(SimpleObject)]
pub(crate) struct AuthPayload {
    /// Send it with each request: `Authorization: Bearer …`. A JWT, good for 15 minutes.
    pub(crate) access_token: String,
    /// When it expires.
    pub(crate) access_token_expires_at: DateTime,
    /// With it `refreshTokens` gives new tokens. It is good once; using it again ends the session.
    pub(crate) refresh_token: String,
    /// The account that was signed in to.
    pub(crate) user: User,
}

impl From<SignedIn> for AuthPayload {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.access_token,
            access_token_expires_at: DateTime(signed_in.access_expires_at),
            refresh_token: signed_in.refresh_token.encode(),
            user: User(signed_in.user),
        }
    }
}

/// The answer to logging out.
#[derive(Debug, SimpleObject)]
pub(crate) struct LogOutPayload {
    /// Whether somebody was signed in.
    pub(crate) logged_out: bool,
}

/// The answer to a change of one's profile.
#[derive(Debug, SimpleObject)]
pub(crate) struct UpdateProfilePayload {
    /// The account after it.
    pub(crate) user: User,
}

/// The answer to a change of somebody's roles.
#[derive(Debug, SimpleObject)]
pub(crate) struct SetRolePayload {
    /// The account after it.
    pub(crate) user: User,
}
