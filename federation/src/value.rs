//! The value tree that subgraph answers are read into, merged in, and projected from.
//!
//! Objects keep the order in which fields arrived and are searched from an expected index, because the
//! GraphQL specification makes a subgraph answer in the order of the selection set (section 7.2.2): with the right guess a
//! look-up is one comparison. Names are shared (`Arc<str>`), so that a thousand cards do not hold a
//! thousand copies of `"question"`.

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

    /// The value under `name`, looked for first at `hint`.
    #[must_use]
    pub fn get_at(&self, hint: usize, name: &str) -> Option<&Value> {
        match self.0.get(hint) {
            Some((key, value)) if &**key == name => Some(value),
            _ => self.get(name),
        }
    }

    /// The value under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| value)
    }

    /// The value under `name`, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0
            .iter_mut()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| value)
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
        let mut object = Self::default();
        for (name, value) in pairs {
            object.insert(name, value);
        }
        object
    }
}
