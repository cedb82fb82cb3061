//! The normalised form of a selection set.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Type};

/// Selections on one type: fields merged by response key, fragments merged by type condition and only where the condition
/// narrows the type. `@skip` and `@include` are gone: what does not apply is not there.
#[derive(Debug, Clone)]
pub(crate) struct SelectionSet {
    pub(crate) ty: Name,
    pub(crate) fields: Vec<Arc<Field>>,
    pub(crate) fragments: Vec<SelectionSet>,
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Where the response key first stands among the set's selections, fragments included.
    pub(crate) order: usize,
    /// The response key.
    pub(crate) key: Name,
    pub(crate) name: Name,
    pub(crate) arguments: Vec<Node<Argument>>,
    pub(crate) ty: Type,
    /// Present for composite fields.
    pub(crate) selections: Option<SelectionSet>,
}

impl SelectionSet {
    pub(crate) fn new(ty: Name) -> Self {
        Self {
            ty,
            fields: Vec::new(),
            fragments: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.fragments.is_empty()
    }

    /// What is selected on objects of a type for which `applies` says whether a type condition holds.
    pub(crate) fn collect(&self, applies: &dyn Fn(&Name) -> bool) -> Vec<Arc<Field>> {
        let mut fields = Vec::new();
        self.collect_into(applies, &mut fields);
        fields.sort_by_key(|field| field.order);
        merge_fields(fields)
    }

    fn collect_into(&self, applies: &dyn Fn(&Name) -> bool, fields: &mut Vec<Arc<Field>>) {
        fields.extend(self.fields.iter().cloned());
        for fragment in &self.fragments {
            if applies(&fragment.ty) {
                fragment.collect_into(applies, fields);
            }
        }
    }

    /// Adds the selections of `other`, which come after this set's own.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.merge_after(other, self.last_order());
    }

    fn last_order(&self) -> usize {
        let fields = self.fields.iter().map(|field| field.order);
        let fragments = self.fragments.iter().map(Self::last_order);
        fields.chain(fragments).max().unwrap_or_default()
    }

    fn merge_after(&mut self, other: &Self, offset: usize) {
        self.fields.extend(other.fields.iter().map(|field| {
            let mut field = Field::clone(field);
            field.order += offset;
            Arc::new(field)
        }));
        self.fields = merge_fields(std::mem::take(&mut self.fields));
        for fragment in &other.fragments {
            match self
                .fragments
                .iter_mut()
                .find(|mine| mine.ty == fragment.ty)
            {
                Some(mine) => mine.merge_after(fragment, offset),
                None => {
                    let mut mine = Self::new(fragment.ty.clone());
                    mine.merge_after(fragment, offset);
                    self.fragments.push(mine);
                }
            }
        }
    }
}

/// Merges the fields that share a response key, as the specification's section 6.3.2 merges their selection sets.
pub(crate) fn merge_fields(fields: Vec<Arc<Field>>) -> Vec<Arc<Field>> {
    let mut places = apollo_compiler::collections::HashMap::default();
    let mut merged: Vec<Arc<Field>> = Vec::with_capacity(fields.len());
    for field in fields {
        match places.get(&field.key) {
            Some(&place) => {
                let present: &mut Arc<Field> = &mut merged[place];
                if let Some(selections) = &field.selections {
                    let present = Arc::make_mut(present);
                    if let Some(set) = &mut present.selections {
                        set.merge(selections);
                    }
                }
            }
            None => {
                places.insert(field.key.clone(), merged.len());
                merged.push(field);
            }
        }
    }
    merged
}
