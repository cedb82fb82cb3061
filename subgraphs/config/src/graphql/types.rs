//! The types that are answered.

use std::sync::Arc;

use async_graphql::{Context, Json, Object, SimpleObject};
use common::UserId;
use common::graphql::{DateTime, Result, caller};
use serde_json::Value;

use super::frontend::FrontendConfig;
use crate::model::{Effective, Key, Kind, Rule, Snapshot, Source, Visibility};
use crate::service::{Entry, Service};

/// The settings as they are at this moment.
pub(crate) struct Config(pub(crate) Arc<Snapshot>);

/// The settings, as far as they concern the viewer.
#[Object]
impl Config {
    /// What the front end goes by, the same for everybody.
    async fn frontend(&self) -> FrontendConfig {
        FrontendConfig(Arc::clone(&self.0))
    }

    /// The features that not everybody has, and whether the viewer has them. For the same person the answer is the same everywhere.
    #[graphql(cache_control(private))]
    async fn features(&self, ctx: &Context<'_>) -> Result<Vec<Feature>> {
        let features = self.0.features(caller(ctx)?.viewer.as_ref());
        Ok(features.map(|(key, enabled)| Feature { name: key.name(), enabled }).collect())
    }

    /// Every setting that the viewer may read, with its value.
    #[graphql(cache_control(no_cache))]
    async fn settings(&self, ctx: &Context<'_>) -> Result<Vec<ConfigValue>> {
        let keys = Service::visible(caller(ctx)?);
        Ok(keys.map(|key| ConfigValue { key, value: json(self.0.value(key)) }).collect())
    }
}

/// A feature that not everybody has.
#[derive(SimpleObject)]
struct Feature {
    /// Its name.
    name: &'static str,
    /// Whether the viewer has it.
    enabled: bool,
}

/// A setting and its value.
#[derive(SimpleObject)]
struct ConfigValue {
    /// Which one.
    key: Key,
    /// The value in effect; null for none.
    value: Option<Json<Value>>,
}

/// A setting and its value, for a service.
#[derive(SimpleObject)]
#[graphql(inaccessible)]
pub(crate) struct ServiceConfigValue {
    /// The setting's name.
    key: &'static str,
    /// The value in effect; null for none.
    value: Option<Json<Value>>,
}

impl ServiceConfigValue {
    pub(crate) fn of(key: Key, snapshot: &Snapshot) -> Self {
        Self { key: key.name(), value: json(snapshot.value(key)) }
    }
}

/// A setting, as those with the role ADMIN see it.
#[derive(SimpleObject)]
pub(crate) struct ConfigEntry {
    /// Which one.
    key: Key,
    /// What kind of value it has.
    r#type: Kind,
    /// Who may read it.
    visibility: Visibility,
    /// What is accepted.
    rule: ConfigRule,
    /// The value in effect; null for none.
    value: Option<Json<Value>>,
    /// Where the value in effect comes from.
    source: Source,
    /// The value it has when nothing overrides it; null for none.
    default: Option<Json<Value>>,
    /// The value that an administrator set, whether or not it is in effect.
    stored: Option<Json<Value>>,
    /// Why what is stored cannot take effect, when it breaks the rule; then the default stands.
    problem: Option<String>,
    /// What it is for.
    description: &'static str,
    /// Grows by 1 with each change; 0 when it was never changed.
    version: i64,
    /// When it was overridden; null while nothing is stored.
    overridden_at: Option<DateTime>,
    /// The account that overrode it; null while nothing is stored.
    overridden_by: Option<UserId>,
}

/// What a setting accepts: what does not apply is null.
#[derive(SimpleObject)]
struct ConfigRule {
    /// In words.
    description: String,
    /// The least number.
    minimum: Option<f64>,
    /// The greatest number.
    maximum: Option<f64>,
    /// The most characters of a text, colours of a list, or bytes of JSON.
    max_length: Option<u64>,
    /// A regular expression that a text must match as a whole.
    pattern: Option<&'static str>,
    /// The texts that are accepted.
    allowed_values: Option<Vec<&'static str>>,
}

impl From<&Rule> for ConfigRule {
    fn from(rule: &Rule) -> Self {
        let mut shown = Self {
            description: rule.accepted(),
            minimum: None,
            maximum: None,
            max_length: None,
            pattern: None,
            allowed_values: None,
        };
        match rule {
            Rule::Integer { least, most } => {
                (shown.minimum, shown.maximum) = (Some((*least).into()), Some((*most).into()));
            }
            Rule::Float { least, most } => {
                (shown.minimum, shown.maximum) = (Some(*least), Some(*most));
            }
            Rule::Text { most, pattern } => {
                shown.max_length = Some(*most as u64);
                shown.pattern = pattern.map(|pattern| pattern.regex);
            }
            Rule::Colors(most) | Rule::Json(most) => shown.max_length = Some(*most as u64),
            Rule::Choice(allowed) => shown.allowed_values = Some(allowed.to_vec()),
            Rule::Boolean | Rule::Flag | Rule::Prompts => {}
        }
        shown
    }
}

impl From<Entry> for ConfigEntry {
    fn from(entry: Entry) -> Self {
        let Entry { key, effective: Effective { value, source, last, problem } } = entry;
        let definition = key.definition();
        let version = last.as_ref().map_or(0, |last| last.version);
        let stored = last.filter(|last| last.value.is_some());
        let text = stored.as_ref().and_then(|last| last.value.as_deref());
        Self {
            key,
            r#type: definition.rule.kind(),
            visibility: definition.visibility,
            rule: (&definition.rule).into(),
            value: json(&value),
            source,
            default: json(&definition.default),
            // What is no JSON is shown as the text that it is.
            stored: text.map(|text| Json(serde_json::from_str(text).unwrap_or(text.into()))),
            problem,
            description: definition.description,
            version,
            overridden_at: stored.as_ref().map(|last| DateTime(last.made_at)),
            overridden_by: stored.map(|last| last.made_by),
        }
    }
}

fn json(value: &Value) -> Option<Json<Value>> {
    (!value.is_null()).then(|| Json(value.clone()))
}
