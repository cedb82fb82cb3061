//! What can be asked.

use std::sync::Arc;

use async_graphql::{Context, Object};
use common::graphql::sdl::{ADMIN, all_of};
use common::graphql::{Result, caller};

use super::types::{Config, ConfigEntry};
use crate::service::Service;

pub(crate) struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// The settings that everybody may read.
    async fn config(&self, ctx: &Context<'_>) -> Result<Config> {
        Ok(Config(ctx.data::<Arc<Service>>()?.snapshot().await))
    }

    /// Every setting with its default and who overrode it. It takes the role ADMIN.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn config_entries(&self, ctx: &Context<'_>) -> Result<Vec<ConfigEntry>> {
        let entries = ctx.data::<Arc<Service>>()?.entries(caller(ctx)?).await?;
        Ok(entries.into_iter().map(ConfigEntry::from).collect())
    }
}
