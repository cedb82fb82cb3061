//! The normalised form of a selection set.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Directive, Type};

use super::around::{self, Around};
use super::{DeferSet, DeferUsage, StreamUsage};

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
    /// Where the response key first stands in the expanded operation: what comes first is answered first.
    pub(crate) order: usize,
    /// The response key.
    pub(crate) key: Name,
    pub(crate) name: Name,
    pub(crate) arguments: Vec<Node<Argument>>,
    /// Those of the client's directives that are for subgraphs.
    pub(crate) directives: Vec<Node<Directive>>,
    /// Those of the fragments that it stands in.
    pub(crate) around: Around,
    pub(crate) ty: Type,
    /// Present for composite fields.
    pub(crate) selections: Option<SelectionSet>,
    /// The deferred fragments that it belongs to.
    pub(crate) defer: DeferSet,
    /// All deferred fragments of the operation, by which such sets are reduced; none for a field that belongs to none.
    pub(crate) defers: Option<Arc<[DeferUsage]>>,
    /// Present for a list that is delivered in parts.
    pub(crate) stream: Option<StreamUsage>,
    /// Not answered, because the viewer may not see it.
    pub(crate) withheld: bool,
}

impl SelectionSet {
    pub(crate) fn new(ty: Name) -> Self {
        Self { ty, fields: Vec::new(), fragments: Vec::new() }
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

    /// Adds a fragment, or what it selects to the fragment of the same type.
    pub(crate) fn add_fragment(&mut self, fragment: &Self) {
        match self.fragments.iter_mut().find(|mine| mine.ty == fragment.ty) {
            Some(mine) => mine.merge(fragment),
            None => self.fragments.push(fragment.clone()),
        }
    }

    /// Adds the selections of `other`.
    fn merge(&mut self, other: &Self) {
        self.fields.extend(other.fields.iter().cloned());
        self.fields.sort_by_key(|field| field.order);
        self.fields = merge_fields(std::mem::take(&mut self.fields));
        for fragment in &other.fragments {
            self.add_fragment(fragment);
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
                let defer = present.defer.met(field.defer);
                // What is selected on a type and on one that it is known as may be of a fragment and of one inside it.
                let defer = defer.outermost(present.defers.as_deref().unwrap_or_default());
                if defer != present.defer {
                    Arc::make_mut(present).defer = defer;
                }
                if field.directives.iter().any(|one| is_new(&present.directives, one)) {
                    merge_directives(&mut Arc::make_mut(present).directives, &field.directives);
                }
                if field.around.is_empty() != present.around.is_empty() {
                    around::meet(&mut Arc::make_mut(present).around, &field.around);
                }
                if field.withheld && !present.withheld {
                    Arc::make_mut(present).withheld = true;
                }
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

/// Adds the directives of another selection of the same field. Of selections that carry the same one the first says with which
/// arguments: only a repeatable directive may stand twice.
pub(crate) fn merge_directives<'a>(
    present: &mut Vec<Node<Directive>>,
    more: impl IntoIterator<Item = &'a Node<Directive>>,
) {
    let new: Vec<_> = more.into_iter().filter(|one| is_new(present, one)).cloned().collect();
    present.extend(new);
}

fn is_new(present: &[Node<Directive>], directive: &Directive) -> bool {
    present.iter().all(|one| one.name != directive.name)
}
