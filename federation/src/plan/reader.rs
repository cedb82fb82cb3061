//! What a fetch's answer is expected to be: for each object its keys in the order of the selection, and the slots they go to.
//!
//! Selections under type conditions are read as if they were selected on every type: which of them an object has shows in its
//! keys.

use apollo_compiler::Name;
use apollo_compiler::collections::IndexMap;

use super::draft::{Drafts, SelectionId};
use super::layout::{Layout, PositionId, TYPE_SLOT};

/// How an object is read.
#[derive(Debug, PartialEq)]
pub(crate) struct ObjectReader {
    pub(crate) position: PositionId,
    /// In the order in which a subgraph should answer them.
    pub(crate) fields: Vec<FieldReader>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct FieldReader {
    /// The key as it is usually written, quotes and colon included.
    pub(crate) written_key: String,
    pub(crate) slot: usize,
    pub(crate) value: ValueReader,
}

/// How a value is read.
#[derive(Debug, PartialEq)]
pub(crate) enum ValueReader {
    /// The name of the object's type.
    TypeName,
    /// A scalar, an enum value, or lists of them: kept as text.
    Leaf,
    /// Objects in so many lists.
    Objects { lists: usize, object: ObjectReader },
}

impl FieldReader {
    pub(super) fn new(key: &str, slot: usize, value: ValueReader) -> Self {
        Self { written_key: format!("\"{key}\":"), slot, value }
    }

    /// The response key.
    pub(crate) fn key(&self) -> &str {
        self.written_key.get(1..self.written_key.len() - 2).unwrap_or_default()
    }
}

impl ObjectReader {
    /// Whether it reads objects at `position` inside its own.
    pub(crate) fn has_inside(&self, position: PositionId) -> bool {
        self.fields.iter().any(|field| match &field.value {
            ValueReader::Objects { object, .. } => {
                object.position == position || object.has_inside(position)
            }
            ValueReader::TypeName | ValueReader::Leaf => false,
        })
    }

    /// The reader for objects at `position` on which all of `selections` are selected.
    pub(super) fn new(
        drafts: &Drafts,
        layout: &mut Layout,
        position: PositionId,
        selections: &[SelectionId],
    ) -> Self {
        let mut keys = Keys::default();
        for &selection in selections {
            keys.collect(drafts, selection);
        }
        let mut fields = Vec::with_capacity(keys.fields.len() + 1);
        if keys.typename {
            fields.push(FieldReader::new("__typename", TYPE_SLOT, ValueReader::TypeName));
        }
        for (key, Key { lists, selections }) in keys.fields {
            fields.push(if selections.is_empty() {
                FieldReader::new(key, layout.slot(position, key), ValueReader::Leaf)
            } else {
                let (slot, child) = layout.child(position, key);
                let object = Self::new(drafts, layout, child, &selections);
                FieldReader::new(key, slot, ValueReader::Objects { lists, object })
            });
        }
        Self { position, fields }
    }

    /// The slots under which this reader, at its own level, puts objects.
    pub(super) fn object_slots(&self) -> impl Iterator<Item = usize> {
        self.fields
            .iter()
            .filter(|field| matches!(field.value, ValueReader::Objects { .. }))
            .map(|field| field.slot)
    }
}

/// The keys of a selection, those under its type conditions among them.
#[derive(Default)]
struct Keys<'a> {
    typename: bool,
    fields: IndexMap<&'a Name, Key>,
}

struct Key {
    lists: usize,
    /// What is selected under the key; nothing for leaves.
    selections: Vec<SelectionId>,
}

impl<'a> Keys<'a> {
    fn collect(&mut self, drafts: &'a Drafts, id: SelectionId) {
        let selection = drafts.selection(id);
        // One that only fills an empty selection is not read: of an interface object it would be the interface's name.
        self.typename |= selection.typename;
        for (key, field) in &selection.fields {
            let entry = self
                .fields
                .entry(key)
                .or_insert_with(|| Key { lists: field.lists, selections: Vec::new() });
            entry.selections.extend(field.selection);
        }
        for &fragment in selection.fragments.values() {
            if !drafts.is_bare(fragment) {
                self.collect(drafts, fragment);
            }
        }
    }
}
