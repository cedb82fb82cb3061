//! Fetches while they are being planned: their selections grow until the plan is finished.

use std::collections::BTreeSet;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Type};
use apollo_compiler::collections::IndexMap;

use crate::operation::{DeferSet, Field, SelectionSet};
use crate::supergraph::SubgraphId;

use super::Template;

/// A step from an object of the response to one further in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DraftStep {
    Key(Name),
    Each,
    /// Only objects of these types.
    Type(Vec<Name>),
}

/// An index into [`Drafts::fetches`].
pub(super) type FetchId = usize;

/// An index into the selections of [`Drafts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SelectionId(usize);

fn lists(mut ty: &Type) -> usize {
    let mut lists = 0;
    while ty.is_list() {
        lists += 1;
        ty = ty.item_type();
    }
    lists
}

/// All fetches of a plan in the making, cheap enough to copy before an attempt that may fail.
#[derive(Debug, Clone, Default)]
pub(super) struct Drafts {
    pub(super) fetches: Vec<FetchDraft>,
    selections: Vec<SelectionDraft>,
}

#[derive(Debug, Clone)]
pub(super) struct FetchDraft {
    pub(super) subgraph: SubgraphId,
    pub(super) depends_on: BTreeSet<FetchId>,
    /// Root fields have none.
    pub(super) entities: Option<EntityDraft>,
    /// Where root fields belong that are selected on the query type further in; empty for the operation's own.
    pub(super) at: Vec<DraftStep>,
    pub(super) selection: SelectionId,
    /// The deferred fragments that it is made for; none for what is needed at once.
    pub(super) defer: DeferSet,
    /// The variables that take their values from objects further out.
    pub(super) contexts: Vec<ContextDraft>,
}

/// A variable that takes its value from an object further out.
#[derive(Debug, Clone)]
pub(super) struct ContextDraft {
    pub(super) variable: Name,
    pub(super) ty: Type,
    /// The way to the object.
    pub(super) path: Vec<DraftStep>,
    /// The value, as it is selected there.
    pub(super) set: SelectionSet,
}

/// The entities that a fetch asks for.
#[derive(Debug, Clone)]
pub(super) struct EntityDraft {
    pub(super) path: Vec<DraftStep>,
    /// The type that the representations name.
    pub(super) ty: Name,
    /// Whether that is an interface, which objects at the path do not bear as their type.
    pub(super) is_interface: bool,
    /// Whether objects of other types may stand at the path too.
    pub(super) mixed: bool,
    pub(super) template: Template,
}

#[derive(Debug, Clone, Default)]
pub(super) struct SelectionDraft {
    pub(super) fields: IndexMap<Name, FieldDraft>,
    pub(super) fragments: IndexMap<Name, SelectionId>,
    pub(super) typename: bool,
}

#[derive(Debug, Clone)]
pub(super) struct FieldDraft {
    pub(super) name: Name,
    pub(super) arguments: Vec<Node<Argument>>,
    /// In how many lists its value stands.
    pub(super) lists: usize,
    pub(super) selection: Option<SelectionId>,
}

impl Drafts {
    pub(super) fn new_selection(&mut self) -> SelectionId {
        self.selections.push(SelectionDraft::default());
        SelectionId(self.selections.len() - 1)
    }

    pub(super) fn selection(&self, id: SelectionId) -> &SelectionDraft {
        &self.selections[id.0]
    }

    pub(super) fn size(&self) -> usize {
        self.fetches.len() + self.selections.len()
    }

    /// Adds `field`; what it selects is added to the selection that is returned for a composite field.
    pub(super) fn add_field(&mut self, id: SelectionId, field: &Field) -> Option<SelectionId> {
        if let Some(present) = self.selections[id.0].fields.get(&field.key) {
            return present.selection;
        }
        let selection = field.selections.is_some().then(|| self.new_selection());
        self.selections[id.0].fields.insert(
            field.key.clone(),
            FieldDraft {
                name: field.name.clone(),
                arguments: field.arguments.clone(),
                lists: lists(&field.ty),
                selection,
            },
        );
        selection
    }

    /// The selection under the type condition `ty` of `id`.
    pub(super) fn fragment(&mut self, id: SelectionId, ty: &Name) -> SelectionId {
        if let Some(&present) = self.selections[id.0].fragments.get(ty) {
            return present;
        }
        let selection = self.new_selection();
        self.selections[id.0].fragments.insert(ty.clone(), selection);
        selection
    }

    pub(super) fn need_typename(&mut self, id: SelectionId) {
        self.selections[id.0].typename = true;
    }

    /// Whether nothing but perhaps `__typename` is selected.
    pub(super) fn is_bare(&self, id: SelectionId) -> bool {
        let selection = self.selection(id);
        selection.fields.is_empty() && selection.fragments.values().all(|&id| self.is_bare(id))
    }

    pub(super) fn remove_field(&mut self, id: SelectionId, key: &Name) {
        self.selections[id.0].fields.shift_remove(key);
    }

    /// Adds everything of `from` to `into`.
    pub(super) fn merge(&mut self, into: SelectionId, from: SelectionId) {
        let source = std::mem::take(&mut self.selections[from.0]);
        self.selections[into.0].typename |= source.typename;
        for (key, field) in source.fields {
            let present = self.selections[into.0].fields.get(&key).map(|field| field.selection);
            match (present, field.selection) {
                (None, _) => {
                    self.selections[into.0].fields.insert(key, field);
                }
                (Some(Some(into)), Some(from)) => self.merge(into, from),
                _ => {}
            }
        }
        for (ty, from) in source.fragments {
            let into = self.fragment(into, &ty);
            self.merge(into, from);
        }
    }

    /// Whether `fetch` comes after every one of `dependencies`, directly or not.
    pub(super) fn comes_after(&self, fetch: FetchId, dependencies: &BTreeSet<FetchId>) -> bool {
        if dependencies.is_empty() {
            return true;
        }
        let mut ancestors = BTreeSet::new();
        let mut open = vec![fetch];
        while let Some(fetch) = open.pop() {
            for &dependency in &self.fetches[fetch].depends_on {
                if ancestors.insert(dependency) {
                    open.push(dependency);
                }
            }
        }
        dependencies.is_subset(&ancestors)
    }
}
