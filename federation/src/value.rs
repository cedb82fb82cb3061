//! The values of variables, of introspection, and of errors' extensions. What subgraphs answer as data is never made into one:
//! see `execute/arena.rs`.

mod json;

use std::collections::HashMap;
use std::sync::Arc;

/// A response key or an argument name.
pub type Name = Arc<str>;

/// A value as GraphQL knows it. Numbers stay what they were: an integer that fits `i64`, or a double.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Null, or a field that could not be had.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction, or one beyond 64 bits.
    Float(f64),
    /// A string, an enum value, or a custom scalar written as a string.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// An object, or a custom scalar written as one.
    Object(Object),
}

/// Name-value pairs in the order in which they arrived. A name occurs once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object(Vec<(Name, Value)>);

impl Object {
    /// An empty object with room for `capacity` pairs.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// The value under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// The value under `name`, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// Appends a pair without looking whether the name is there already: for builders that know it is not.
    pub fn push(&mut self, name: Name, value: Value) {
        self.0.push((name, value));
    }

    /// Puts `value` under `name`, in place of what was there.
    pub fn insert(&mut self, name: Name, value: Value) {
        match self.get_mut(&name) {
            Some(place) => *place = value,
            None => self.push(name, value),
        }
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, &Value)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Object {
    type Item = (Name, Value);
    type IntoIter = std::vec::IntoIter<(Name, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(Name, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(pairs: I) -> Self {
        let mut builder = ObjectBuilder::default();
        for (name, value) in pairs {
            *builder.slot(name) = value;
        }
        builder.finish()
    }
}

/// From so many pairs on, names are looked up in a map.
const WIDE: usize = 32;

/// Grows an object under names that may repeat, without searching it anew for each when it is wide.
#[derive(Debug, Default)]
pub(crate) struct ObjectBuilder {
    object: Object,
    /// Where each name is; made when the object gets wide.
    places: Option<HashMap<Name, usize, ahash::RandomState>>,
}

impl ObjectBuilder {
    /// The value under `name`: null when the name is new.
    pub(crate) fn slot(&mut self, name: Name) -> &mut Value {
        let known = if self.object.len() < WIDE {
            self.object.0.iter().position(|(key, _)| *key == name)
        } else {
            let places = self.places.get_or_insert_default();
            for (index, (name, _)) in self.object.0.iter().enumerate().skip(places.len()) {
                places.insert(name.clone(), index);
            }
            places.get(&name).copied()
        };
        let index = known.unwrap_or(self.object.len());
        if known.is_none() {
            self.object.push(name, Value::Null);
        }
        &mut self.object.0[index].1
    }

    pub(crate) fn finish(self) -> Object {
        self.object
    }
}
