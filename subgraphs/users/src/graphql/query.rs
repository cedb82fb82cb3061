//! What can be asked.

use std::sync::Arc;

use async_graphql::{Context, Object};
use common::UserId;
use common::graphql::entities::{Representation, in_order};
use common::graphql::fast::FastOptions;
use common::graphql::sdl::{ADMIN, all_of};
use common::graphql::{Result, caller};

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
