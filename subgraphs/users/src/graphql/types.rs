//! The types that are answered.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject, Union, Value};
use common::graphql::fast::{Fast, PlainField};
use common::graphql::{DateTime, Result, caller};
use common::page::PageRequest;
use common::{ApiKeyId, Client, Role, SessionId, UserId};

use super::lists::{DEFAULT_PAGE, SecurityEventConnection};
use crate::model::{self, ApiScope};
use crate::service::{Service, SignedIn};

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

    /// The address that the account will have when its owner follows the link that was sent there; null when none was asked for.
    async fn pending_email(&self) -> Option<&str> {
        self.0.pending_email.as_ref().map(crate::model::Email::as_str)
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

    /// When the account will be deleted, where the person has asked for that; logging in keeps it.
    async fn deletion_due_at(&self) -> Option<DateTime> {
        self.0.delete_at.map(DateTime)
    }

    /// Where the person is logged in: at most 100 sessions, those used last first. Not for API keys.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        let caller = caller(ctx)?;
        let sessions = ctx.data::<Arc<Service>>()?.sessions(caller, self.0.id).await?;
        let current = caller.viewer.as_ref().map(|viewer| viewer.session);
        Ok(sessions
            .into_iter()
            .map(|session| Session { current: Some(session.id) == current, session })
            .collect())
    }

    /// The keys by which scripts act for the person, newest first; those that were revoked are not among them. For the person alone.
    async fn api_keys(&self, ctx: &Context<'_>) -> Result<Option<Vec<ApiKey>>> {
        let caller = caller(ctx)?;
        if caller.viewer()?.user != self.0.id {
            return Ok(None);
        }
        let keys = ctx.data::<Arc<Service>>()?.api_keys(caller).await?;
        Ok(Some(keys.into_iter().map(ApiKey).collect()))
    }

    /// What happened to the account's security, newest first: 50 events unless `first` or `last` says otherwise, at most 500. They are kept
    /// for 90 days. Not for API keys.
    async fn security_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: events after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: events before it.")] before: Option<String>,
    ) -> Result<SecurityEventConnection> {
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let service = ctx.data::<Arc<Service>>()?;
        let page = service.security_events_of(caller(ctx)?, self.0.id, page).await?;
        Ok(SecurityEventConnection(page))
    }
}

/// Where a request came from, as far as that can be known.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Origin {
    /// The address of the device or of its provider.
    address: Option<String>,
    /// What the program called itself: at most 256 characters.
    user_agent: Option<String>,
}

impl Origin {
    pub(crate) fn of(client: &Client) -> Self {
        Self {
            address: client.address.map(|address| address.to_string()),
            user_agent: client.user_agent.clone(),
        }
    }
}

/// A device on which a person is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    session: model::Session,
    current: bool,
}

/// A device on which a person is logged in.
#[Object]
impl Session {
    /// Its id.
    async fn id(&self) -> SessionId {
        self.session.id
    }

    /// Whether it is the one that asks.
    async fn current(&self) -> bool {
        self.current
    }

    /// When the person logged in.
    async fn created_at(&self) -> DateTime {
        DateTime(self.session.created_at)
    }

    /// When its tokens were made last: as long as it is in use, at most as long ago as an access token is good for.
    async fn last_used_at(&self) -> DateTime {
        DateTime(self.session.refreshed_at)
    }

    /// When it ends unless it is used before.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.session.expires_at)
    }

    /// From where it was used then.
    async fn origin(&self) -> Origin {
        Origin::of(&self.session.client)
    }
}

/// A key by which a script acts for a person.
#[derive(Debug, Clone)]
pub(crate) struct ApiKey(pub(crate) model::ApiKey);

/// A key by which a script acts for a person: `Authorization: Bearer sk_spacey_…`.
#[Object]
impl ApiKey {
    /// Its id.
    async fn id(&self) -> ApiKeyId {
        self.0.id
    }

    /// What its owner calls it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The first 14 characters of the key.
    async fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// What it may be used for.
    async fn scopes(&self) -> &[ApiScope] {
        &self.0.scopes
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Until when it is good.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }

    /// When it was used last, to the minute; null when it never was.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
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
    /// With it `refreshTokens` gives new tokens. It is good once; using it again ends the session. Null when `refreshTokens` took the one in
    /// the browser's cookie: then the next one is there too, out of reach of scripts.
    pub(crate) refresh_token: Option<String>,
    /// The account that was signed in to.
    pub(crate) user: User,
}

impl From<SignedIn> for AuthPayload {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.access_token,
            access_token_expires_at: DateTime(signed_in.access_expires_at),
            refresh_token: Some(signed_in.refresh_token.encode()),
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
