//! The types that are answered.

use std::sync::Arc;

use async_graphql::{Json, Object, SimpleObject};
use common::UserId;
use common::graphql::DateTime;
use serde_json::Value;

use crate::model::{Key, Snapshot};
use crate::service::Entry;

/// The settings as they are at this moment.
pub(crate) struct Config(pub(crate) Arc<Snapshot>);

/// The settings that everybody may read.
#[Object]
impl Config {
    /// What the front end goes by.
    async fn frontend(&self) -> FrontendConfig {
        FrontendConfig(Arc::clone(&self.0))
    }
}

pub(crate) struct FrontendConfig(Arc<Snapshot>);

/// What the front end goes by.
#[Object]
impl FrontendConfig {
    /// The colours to choose from for a deck: 1 to 32 of the form `#RRGGBB`.
    async fn deck_colors(&self) -> &[String] {
        self.0.frontend.deck_colors()
    }

    /// What to show to everybody who opens the app, at most 500 characters; null for nothing.
    async fn welcome_message(&self) -> Option<&str> {
        self.0.frontend.welcome_message()
    }

    /// A client that is older than this asks to be updated: three numbers such as `1.4.0`.
    async fn minimum_client_version(&self) -> &str {
        self.0.frontend.minimum_client_version()
    }

    /// Whether to offer to sign up. It informs; nothing is refused by it.
    async fn sign_up_open(&self) -> bool {
        self.0.frontend.sign_up_open()
    }
}

/// A setting, as those with the role ADMIN see it.
#[derive(SimpleObject)]
pub(crate) struct ConfigEntry {
    /// Which one.
    key: Key,
    /// The value in effect.
    value: Option<Json<Value>>,
    /// The value it has when nobody overrides it.
    default: Option<Json<Value>>,
    /// What it is for, and what is accepted.
    description: &'static str,
    /// When it was overridden; null while the default is in effect.
    overridden_at: Option<DateTime>,
    /// The account that overrode it; null while the default is in effect.
    overridden_by: Option<UserId>,
}

impl From<Entry> for ConfigEntry {
    fn from(entry: Entry) -> Self {
        let json = |value: Value| (!value.is_null()).then_some(Json(value));
        Self {
            key: entry.key,
            value: json(entry.value),
            default: json(entry.default),
            description: entry.key.description(),
            overridden_at: entry.overridden.map(|(at, _)| DateTime(at)),
            overridden_by: entry.overridden.map(|(_, by)| by),
        }
    }
}

/// The answer to overriding a setting.
#[derive(SimpleObject)]
pub(crate) struct SetConfigPayload {
    /// The setting after it.
    pub(crate) entry: ConfigEntry,
}

/// The answer to resetting a setting.
#[derive(SimpleObject)]
pub(crate) struct ResetConfigPayload {
    /// The setting after it.
    pub(crate) entry: ConfigEntry,
}
