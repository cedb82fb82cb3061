//! What the environment sets: it wins over what is stored, and a process with a wrong value does not start.

use std::collections::BTreeMap;

use serde_json::Value;

use super::key::Key;

/// What every variable's name begins with.
pub(super) const PREFIX: &str = "SPACEY_CONFIG_";

/// Valid values from the environment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Environment(BTreeMap<Key, Value>);

/// A variable that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct InvalidVariable {
    /// Its name.
    pub name: String,
    /// What is wrong with it, and what is accepted.
    pub reason: String,
}

impl Environment {
    /// Reads variables, given by what follows `SPACEY_CONFIG_` in their names.
    ///
    /// # Errors
    /// Every one that names no key, or whose value breaks the key's rule.
    pub fn read(variables: &BTreeMap<String, String>) -> Result<Self, Vec<InvalidVariable>> {
        let (mut values, mut wrong) = (BTreeMap::new(), Vec::new());
        for (name, text) in variables {
            let name = format!("{PREFIX}{name}");
            match read(&name, text) {
                Ok((key, value)) => drop(values.insert(key, value)),
                Err(reason) => wrong.push(InvalidVariable { name, reason }),
            }
        }
        if wrong.is_empty() { Ok(Self(values)) } else { Err(wrong) }
    }

    /// The value of a key, if the environment sets it.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&Value> {
        self.0.get(&key)
    }

    /// The variables that are set, with their values as JSON.
    pub fn iter(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|(key, value)| (key.variable(), value.to_string()))
    }
}

fn read(name: &str, text: &str) -> Result<(Key, Value), String> {
    let named = Key::ALL.into_iter().find(|key| key.variable() == name);
    let key = named.ok_or_else(|| {
        let known: Vec<_> = Key::ALL.map(Key::variable).to_vec();
        format!("there is no such setting: there are {}", known.join(", "))
    })?;
    let rule = key.definition().rule;
    let value = rule.read(text);
    rule.check(&value).map_err(|error| error.to_string())?;
    Ok((key, value))
}
