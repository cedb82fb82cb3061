//! What can be asked.

use std::sync::Arc;

use async_graphql::{Context, Object};
use common::UserId;
use common::graphql::entities::{Representation, in_order};
use common::graphql::fast::FastOptions;
use common::graphql::sdl::{ADMIN, all_of};
use common::graphql::{Result, caller};
use common::page::PageRequest;

use super::lists::{DEFAULT_PAGE, SecurityEventConnection, UserConnection};
use super::types::{Entity, User};
use crate::service::Service;

pub(crate) struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// The signed-in person; null when nobody is signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let user = ctx.data::<Arc<Service>>()?.viewer(caller(ctx)?).await?;
        Ok(user.map(User))
    }

    /// Anybody's account; null when there is none with this id. It takes the role ADMIN.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] id: UserId,
    ) -> Result<Option<User>> {
        let user = ctx.data::<Arc<Service>>()?.user(caller(ctx)?, id).await?;
        Ok(user.map(User))
    }

    /// All accounts, oldest first: 50 unless `first` or `last` says otherwise, at most 500. It takes the role ADMIN.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only those whose address or name has this in it: at most 254 bytes; the case of a to z does not count."
        )]
        search: Option<String>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: accounts after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: accounts before it.")] before: Option<String>,
    ) -> Result<UserConnection> {
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let service = ctx.data::<Arc<Service>>()?;
        Ok(UserConnection(service.users(caller(ctx)?, search.as_deref(), page).await?))
    }

    /// The security events of all accounts, newest first: 50 unless `first` or `last` says otherwise, at most 500. It takes the role ADMIN.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
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
        Ok(SecurityEventConnection(service.security_events(caller(ctx)?, page).await?))
    }

    #[graphql(name = "_entities")]
    async fn entities(
        &self,
        ctx: &Context<'_>,
        representations: Vec<async_graphql::Any>,
    ) -> Result<FastOptions<Entity>> {
        let representations = Representation::read_all(representations)?;
        if let Some(unknown) = representations.iter().find(|of| of.typename != "User") {
            return Err(unknown.unknown_type().into());
        }
        let ids: Vec<UserId> = Representation::ids(&representations, "User", "id")?;
        let users = ctx.data::<Arc<Service>>()?.visible(caller(ctx)?, &ids).await?;
        let users = in_order(&ids, users, |user| user.id);
        let entity = |user| Entity::User(User(user));
        Ok(FastOptions(users.into_iter().map(|user| user.map(entity)).collect()))
    }
}
