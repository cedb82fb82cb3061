//! What can be changed.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Json, Object, SimpleObject};
use common::graphql::sdl::{ADMIN, all_of};
use common::graphql::{Result, caller};
use serde_json::Value;

use super::types::ConfigEntry;
use crate::model::Key;
use crate::service::Service;

pub(crate) struct Mutation;

/// Which setting, and to what.
#[derive(InputObject)]
struct SetConfigInput {
    /// Which one. Its entry says what it accepts.
    key: Key,
    /// The value. It is kept as it is given.
    value: Json<Value>,
    /// The version that the setting must have, else the error's code is CONFLICT and nothing changes; null for whichever it has.
    expected_version: Option<i64>,
}

/// Which setting.
#[derive(InputObject)]
struct ResetConfigInput {
    /// Which one.
    key: Key,
    /// The version that the setting must have, else the error's code is CONFLICT and nothing changes; null for whichever it has.
    expected_version: Option<i64>,
}

/// Which setting, and back to when.
#[derive(InputObject)]
struct RevertConfigInput {
    /// Which one.
    key: Key,
    /// The version whose value it gets again; 0 for the default.
    to_version: i64,
    /// The version that the setting must have, else the error's code is CONFLICT and nothing changes; null for whichever it has.
    expected_version: Option<i64>,
}

/// The answer to overriding a setting.
#[derive(SimpleObject)]
struct SetConfigPayload {
    /// The setting after it.
    entry: ConfigEntry,
}

/// The answer to resetting a setting.
#[derive(SimpleObject)]
struct ResetConfigPayload {
    /// The setting after it.
    entry: ConfigEntry,
}

/// The answer to reverting a setting.
#[derive(SimpleObject)]
struct RevertConfigPayload {
    /// The setting after it.
    entry: ConfigEntry,
}

/// What can be changed.
#[Object]
impl Mutation {
    /// Overrides the default of a setting. It takes the role ADMIN. Every process follows within 5 seconds. Where the environment sets it,
    /// that stays in effect.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn set_config(
        &self,
        ctx: &Context<'_>,
        input: SetConfigInput,
    ) -> Result<SetConfigPayload> {
        let SetConfigInput { key, value, expected_version } = input;
        let service = ctx.data::<Arc<Service>>()?;
        let entry = service.set(caller(ctx)?, key, value.0, expected_version).await?;
        Ok(SetConfigPayload { entry: entry.into() })
    }

    /// Puts a setting back to its default. It takes the role ADMIN. Every process follows within 5 seconds.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn reset_config(
        &self,
        ctx: &Context<'_>,
        input: ResetConfigInput,
    ) -> Result<ResetConfigPayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let entry = service.reset(caller(ctx)?, input.key, input.expected_version).await?;
        Ok(ResetConfigPayload { entry: entry.into() })
    }

    /// Gives a setting the value again that it had at a version, as a change of its own. It takes the role ADMIN. Every process follows within
    /// 5 seconds.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn revert_config(
        &self,
        ctx: &Context<'_>,
        input: RevertConfigInput,
    ) -> Result<RevertConfigPayload> {
        let RevertConfigInput { key, to_version, expected_version } = input;
        let service = ctx.data::<Arc<Service>>()?;
        let entry = service.revert(caller(ctx)?, key, to_version, expected_version).await?;
        Ok(RevertConfigPayload { entry: entry.into() })
    }
}
