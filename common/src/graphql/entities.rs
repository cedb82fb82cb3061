//! Reading the representations that a gateway passes to `_entities`, and answering for all of them at once.
//!
//! A subgraph's query root has a field `_entities(representations: [_Any!]!): [_Entity]!` that collects the keys of each type, makes one
//! batch read for each type, and puts the answers back in order. What does not exist, or is not the viewer's, is `null`.

use std::collections::HashMap;
use std::hash::Hash;
use std::str::FromStr;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value};

use crate::Error;

/// A representation: `__typename` and the key's fields.
#[derive(Debug, Clone)]
pub struct Representation {
    /// The entity's type.
    pub typename: String,
    fields: IndexMap<Name, Value>,
    index: usize,
}

impl Representation {
    /// Reads a `representations` argument.
    ///
    /// # Errors
    /// [`Error::Invalid`] that names the first one without a `__typename`.
    pub fn read_all(representations: Vec<async_graphql::Any>) -> Result<Vec<Self>, Error> {
        let read = |(index, any): (usize, async_graphql::Any)| match any.0 {
            Value::Object(mut fields) => match fields.swap_remove("__typename") {
                Some(Value::String(typename)) => Ok(Self { typename, fields, index }),
                _ => Err(Self::invalid(index, "has no __typename")),
            },
            _ => Err(Self::invalid(index, "is not an object")),
        };
        representations.into_iter().enumerate().map(read).collect()
    }

    /// The id under `field`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is none or it is not an id.
    pub fn id<I: FromStr>(&self, field: &str) -> Result<I, Error> {
        match self.field(field) {
            Some(Value::String(text)) => text.parse().map_err(|_| {
                Self::invalid(self.index, &format!("has a {field} that is not an id"))
            }),
            _ => Err(Self::invalid(self.index, &format!("has no {field}"))),
        }
    }

    /// The value under `field`.
    #[must_use]
    pub fn field(&self, field: &str) -> Option<&Value> {
        self.fields.get(field)
    }

    /// The ids under `field` of those representations that are of type `typename`.
    ///
    /// # Errors
    /// As [`Representation::id`].
    pub fn ids<I: FromStr>(
        representations: &[Self],
        typename: &str,
        field: &str,
    ) -> Result<Vec<I>, Error> {
        representations
            .iter()
            .filter(|representation| representation.typename == typename)
            .map(|representation| representation.id(field))
            .collect()
    }

    /// A representation of a type this subgraph does not answer for.
    #[must_use]
    pub fn unknown_type(&self) -> Error {
        Self::invalid(
            self.index,
            &format!("names the type {:?}, which is no entity here", self.typename),
        )
    }

    fn invalid(index: usize, message: &str) -> Error {
        Error::invalid(format!("representations[{index}]"), message)
    }
}

/// Puts rows that came in any order into the order of `keys`; an absent one leaves a gap. A key may occur twice.
pub fn in_order<K: Eq + Hash, T: Clone>(
    keys: &[K],
    rows: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Vec<Option<T>> {
    let by_key: HashMap<K, T> = rows.into_iter().map(|row| (key(&row), row)).collect();
    keys.iter().map(|key| by_key.get(key).cloned()).collect()
}
