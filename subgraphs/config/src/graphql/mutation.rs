//! What can be changed.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Json, Object};
use common::graphql::sdl::{ADMIN, all_of};
use common::graphql::{Result, caller};
use serde_json::Value;

use super::types::{ResetConfigPayload, SetConfigPayload};
use crate::model::Key;
use crate::service::Service;

pub(crate) struct Mutation;

/// Which setting, and to what.
#[derive(InputObject)]
struct SetConfigInput {
    /// Which one. Its description says what it accepts.
    key: Key,
    /// The value.
    value: Json<Value>,
}

/// Which setting.
#[derive(InputObject)]
struct ResetConfigInput {
    /// Which one.
    key: Key,
}

/// What can be changed.
#[Object]
impl Mutation {
    /// Overrides the default of a setting. It takes the role ADMIN. Every process follows within 5 seconds.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn set_config(
        &self,
        ctx: &Context<'_>,
        input: SetConfigInput,
    ) -> Result<SetConfigPayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let entry = service.set(caller(ctx)?, input.key, &input.value.0).await?;
        Ok(SetConfigPayload { entry: entry.into() })
    }

    /// Puts a setting back to its default. It takes the role ADMIN. Every process follows within 5 seconds.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn reset_config(
        &self,
        ctx: &Context<'_>,
        input: ResetConfigInput,
    ) -> Result<ResetConfigPayload> {
        let entry = ctx.data::<Arc<Service>>()?.reset(caller(ctx)?, input.key).await?;
        Ok(ResetConfigPayload { entry: entry.into() })
    }
}
