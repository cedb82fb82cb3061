//! All values in effect at one moment, each with where it came from. A value that breaks its rule is never in effect: what an older or newer
//! program left in the store counts as a problem, and the default stands.

use std::collections::BTreeMap;

use async_graphql::Enum;
use common::Viewer;
use common::feature::Flag;
use serde_json::Value;

use super::change::Change;
use super::environment::Environment;
use super::key::{Definition, Key};
use super::rule::Rule;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "ConfigSource")]
pub enum Source {
    /// A variable of the process's environment, or of its settings file.
    Environment,
    /// What an administrator set.
    Stored,
    /// The program.
    Default,
}

/// A key as it is at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// The value in effect; null for none.
    pub value: Value,
    /// Where it comes from.
    pub source: Source,
    /// The key's last change, if there was one.
    pub last: Option<Change>,
    /// Why what is stored cannot take effect, if it cannot.
    pub problem: Option<String>,
}

/// All keys as they are at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot(BTreeMap<Key, Effective>);

impl Snapshot {
    /// The defaults under the last change of each key, under the environment.
    #[must_use]
    pub fn of(last: Vec<Change>, environment: &Environment) -> Self {
        let mut last: BTreeMap<String, Change> =
            last.into_iter().map(|change| (change.key.clone(), change)).collect();
        let effective = Key::ALL.map(|key| {
            let definition = key.definition();
            let change = last.remove(definition.name);
            (key, Effective::of(definition, change, environment.get(key)))
        });
        for name in last.keys() {
            tracing::debug!(key = name, "what is stored of an unknown key has no effect");
        }
        Self(effective.into())
    }

    /// A key as it is.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&Effective> {
        self.0.get(&key)
    }

    /// The value in effect; null for none.
    #[must_use]
    pub fn value(&self, key: Key) -> &Value {
        self.get(key).map_or(&Value::Null, |effective| &effective.value)
    }

    /// Every key that is a feature's flag, and whether `viewer` has the feature.
    pub fn features(&self, viewer: Option<&Viewer>) -> impl Iterator<Item = (Key, bool)> {
        let flags = self.0.iter().filter(|(key, _)| key.definition().rule == Rule::Flag);
        flags.map(move |(key, effective)| {
            let flag = Flag::from_value(&effective.value).unwrap_or_default();
            (*key, flag.admits(key.name(), viewer))
        })
    }

    /// The keys whose stored value cannot take effect, with the reason.
    pub fn problems(&self) -> impl Iterator<Item = (Key, &str)> {
        self.0.iter().filter_map(|(key, effective)| Some((*key, effective.problem.as_deref()?)))
    }
}

impl Effective {
    fn of(definition: Definition, last: Option<Change>, environment: Option<&Value>) -> Self {
        let Definition { rule, default, .. } = definition;
        let text = last.as_ref().and_then(|change| change.value.as_deref());
        let stored = text.map(|text| stored(rule, text));
        let (value, source) = match (environment, &stored) {
            (Some(value), _) => (value.clone(), Source::Environment),
            (None, Some(Ok(value))) => (value.clone(), Source::Stored),
            (None, Some(Err(_)) | None) => (default, Source::Default),
        };
        Self { value, source, last, problem: stored.and_then(Result::err) }
    }
}

/// A stored value that keeps the rule, or what is wrong with it.
fn stored(rule: Rule, text: &str) -> Result<Value, String> {
    let value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    rule.check(&value).map_err(|error| error.to_string())?;
    Ok(value)
}
