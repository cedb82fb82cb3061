//! Collects the entities that a fetch is to complete: each distinct representation once, and where it belongs.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use ahash::RandomState;

use crate::plan::{Entities, Entry, Step, Template};
use crate::value::{Name, Object, Value};

use super::walk;

/// The representations of a fetch and the places in the data that wait for them.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) representations: Vec<Value>,
    /// For each representation, how many places wait for it.
    pub(super) uses: Vec<u32>,
    pub(super) places: Places,
}

/// The objects that were found, in the order of the walk.
#[derive(Debug)]
pub(super) struct Places {
    /// List indexes, as many for each place as the path has lists.
    indexes: Vec<u32>,
    width: usize,
    /// Which representation each place waits for.
    slots: Vec<u32>,
}

impl Places {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn slot(&self, place: usize) -> usize {
        self.slots[place] as usize
    }

    /// The list indexes on the way to `place`.
    pub(super) fn indexes(&self, place: usize) -> &[u32] {
        &self.indexes[place * self.width..][..self.width]
    }
}

/// Walks `data` and represents what is at the entities' path. Objects that lack a part of their key are left out.
pub(super) fn collect(data: &Value, entities: &Entities) -> Batch {
    let typename: Name = Arc::from("__typename");
    let hasher = RandomState::new();
    let mut known: HashMap<u64, u32, RandomState> = HashMap::default();
    let mut batch = Batch {
        representations: Vec::new(),
        uses: Vec::new(),
        places: Places {
            indexes: Vec::new(),
            width: entities.path.iter().filter(|step| matches!(step, Step::Each)).count(),
            slots: Vec::new(),
        },
    };
    let mut hints = Hints::default();
    let mut visitor = |indexes: &[u32], object: &Object| {
        let Some(entry) = entry_of(entities, object) else {
            return;
        };
        let Some(representation) = represent(entry, object, &typename, &mut hints) else {
            return;
        };
        let representation = Value::Object(representation);
        let mut hash = hash(&hasher, &representation);
        let slot = loop {
            match known.get(&hash) {
                None => {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "a list index fits 32 bits"
                    )]
                    let slot = batch.representations.len() as u32;
                    known.insert(hash, slot);
                    batch.representations.push(representation);
                    batch.uses.push(0);
                    break slot;
                }
                Some(&slot) if batch.representations[slot as usize] == representation => {
                    break slot;
                }
                // Another representation with the same hash: look in the next place.
                Some(_) => hash = hash.wrapping_add(1),
            }
        };
        batch.uses[slot as usize] += 1;
        batch.places.slots.push(slot);
        batch.places.indexes.extend_from_slice(indexes);
    };
    walk::visit(data, &entities.path, &mut Vec::new(), &mut visitor);
    batch
}

fn entry_of<'p>(entities: &'p Entities, object: &Object) -> Option<&'p Entry> {
    match entities.entries.as_slice() {
        [only] if !only.mixed => Some(only),
        entries => {
            let type_name = walk::type_name(object)?;
            entries.iter().find(|entry| &*entry.type_name == type_name)
        }
    }
}

/// Where the fields of a representation were found last.
#[derive(Default)]
struct Hints(Vec<usize>);

fn represent(entry: &Entry, object: &Object, typename: &Name, hints: &mut Hints) -> Option<Object> {
    let mut representation = Object::with_capacity(entry.template.fields.len() + 1);
    representation.push(typename.clone(), Value::String(entry.type_name.to_string()));
    hints.0.resize(entry.template.fields.len().max(hints.0.len()), 0);
    fill(&entry.template, object, &mut representation, &mut hints.0)?;
    Some(representation)
}

fn fill(
    template: &Template,
    object: &Object,
    representation: &mut Object,
    hints: &mut [usize],
) -> Option<()> {
    for (position, field) in template.fields.iter().enumerate() {
        let hint = hints.get(position).copied().unwrap_or(position);
        let index = object.position(hint, &field.key)?;
        if let Some(hint) = hints.get_mut(position) {
            *hint = index;
        }
        let (_, value) = object.pair(index)?;
        let value = match (&field.nested, value) {
            (_, Value::Null) if !field.nullable => return None,
            (Some(nested), value) => nested_value(nested, value)?,
            (None, value) => value.clone(),
        };
        representation.push(field.name.clone(), value);
    }
    if !template.variants.is_empty() {
        let type_name = walk::type_name(object)?;
        if representation.get("__typename").is_none() {
            representation.push(Arc::from("__typename"), Value::String(type_name.to_owned()));
        }
        for (types, variant) in &template.variants {
            if types.iter().any(|ty| &**ty == type_name) {
                fill(variant, object, representation, &mut [])?;
            }
        }
    }
    Some(())
}

fn nested_value(template: &Template, value: &Value) -> Option<Value> {
    match value {
        Value::Object(object) => {
            let mut nested = Object::with_capacity(template.fields.len());
            fill(template, object, &mut nested, &mut [])?;
            Some(Value::Object(nested))
        }
        Value::List(items) => items
            .iter()
            .map(|item| nested_value(template, item))
            .collect::<Option<_>>()
            .map(Value::List),
        other => Some(other.clone()),
    }
}

fn hash(hasher: &RandomState, value: &Value) -> u64 {
    let mut state = hasher.build_hasher();
    hash_value(value, &mut state);
    state.finish()
}

fn hash_value(value: &Value, state: &mut impl Hasher) {
    std::mem::discriminant(value).hash(state);
    match value {
        Value::Null => {}
        Value::Bool(value) => value.hash(state),
        Value::Int(value) => value.hash(state),
        // Zero has two forms, which are equal.
        Value::Float(value) => (value + 0.0).to_bits().hash(state),
        Value::String(value) => value.hash(state),
        Value::List(items) => {
            for item in items {
                hash_value(item, state);
            }
        }
        Value::Object(object) => {
            for (name, value) in object.iter() {
                name.hash(state);
                hash_value(value, state);
            }
        }
    }
}
