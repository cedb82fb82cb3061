//! What can be asked.

use std::sync::Arc;

use async_graphql::{Context, Object};
use common::graphql::sdl::{ADMIN, all_of};
use common::graphql::{Result, caller};
use common::page::PageRequest;

use super::history::ConfigChangeConnection;
use super::types::{Config, ConfigEntry, ServiceConfigValue};
use crate::model::Key;
use crate::service::Service;

/// How many changes a page has when nothing is said.
const DEFAULT_PAGE: u32 = 50;

pub(crate) struct Query;

/// What can be asked.
//
// Each field of this type says how long its answer may be kept: where one says nothing, the others would speak for it.
#[Object]
impl Query {
    /// The settings, as far as they concern the viewer. Answers of `frontend` alone may be cached for a minute.
    #[graphql(cache_control(max_age = 60))]
    async fn config(&self, ctx: &Context<'_>) -> Result<Config> {
        Ok(Config(ctx.data::<Arc<Service>>()?.snapshot().await))
    }

    /// Every setting with its type, rule, default, and what overrides it. It takes the role ADMIN.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn config_entries(&self, ctx: &Context<'_>) -> Result<Vec<ConfigEntry>> {
        let entries = ctx.data::<Arc<Service>>()?.entries(caller(ctx)?).await?;
        Ok(entries.into_iter().map(ConfigEntry::from).collect())
    }

    /// Who changed what and when, the newest first: 50 changes unless `first` or `last` says otherwise, at most 500. It takes the role ADMIN.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn config_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes of this setting only.")] key: Option<Key>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: changes after it, which are older.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: changes before it, which are newer.")] before: Option<String>,
    ) -> Result<ConfigChangeConnection> {
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let page = ctx.data::<Arc<Service>>()?.history(caller(ctx)?, key, page).await?;
        Ok(ConfigChangeConnection(page))
    }

    /// What services read, for themselves. No client can ask for it.
    #[graphql(inaccessible, cache_control(no_cache))]
    async fn service_config(&self, ctx: &Context<'_>) -> Result<Vec<ServiceConfigValue>> {
        let keys = Service::for_services(caller(ctx)?)?;
        let snapshot = ctx.data::<Arc<Service>>()?.snapshot().await;
        Ok(keys.map(|key| ServiceConfigValue::of(key, &snapshot)).collect())
    }
}
