//! Fetches while they are being planned: their selections grow until the plan is finished.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Directive, Type};
use apollo_compiler::collections::IndexMap;

use crate::operation::{Around, DeferSet, Field, SelectionSet};
use crate::supergraph::SubgraphId;

use super::{Step, Template};

/// An index into [`Drafts::fetches`].
pub(super) type FetchId = usize;

impl FieldDraft {
    /// Whether it carries no directives of the client's.
    pub(super) fn is_plain(&self) -> bool {
        self.directives.is_empty() && self.around.is_empty()
    }
}

/// An index into the selections of [`Drafts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SelectionId(usize);

fn lists(mut ty: &Type) -> usize {
    let mut lists = 0;
    while ty.is_list() {
        lists += 1;
        ty = ty.item_type();
    }
    lists
}

/// All fetches of a plan in the making. What is done to them can be undone, for attempts that may fail.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    pub(super) fetches: Vec<FetchDraft>,
    selections: Vec<SelectionDraft>,
    journal: Vec<Undo>,
}

/// How one change is undone.
#[derive(Debug)]
enum Undo {
    PushFetch,
    PushSelection,
    AddField(SelectionId, Name),
    AddFragment(SelectionId, Vec<Name>),
    NeedTypename(SelectionId),
    RemoveField(SelectionId, usize, Name, FieldDraft),
    ExtendTemplate(FetchId, Template),
    AddContext(FetchId),
}

/// A state of [`Drafts`] to go back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark(usize);

#[derive(Debug, Clone)]
pub(super) struct FetchDraft {
    pub(super) subgraph: SubgraphId,
    pub(super) depends_on: BTreeSet<FetchId>,
    /// Root fields have none.
    pub(super) entities: Option<EntityDraft>,
    /// Where root fields belong that are selected on the query type further in; empty for the operation's own.
    pub(super) at: Vec<Step>,
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
    pub(super) path: Vec<Step>,
    /// The value, as it is selected there.
    pub(super) set: SelectionSet,
}

impl FetchDraft {
    /// Whether it stands for other fetches that it waits for, and asks for nothing itself.
    pub(super) fn is_hub(&self) -> bool {
        self.subgraph == SubgraphId::NONE
    }
}

/// The entities that a fetch asks for.
#[derive(Debug, Clone)]
pub(super) struct EntityDraft {
    pub(super) path: Vec<Step>,
    /// The types that the representations name.
    pub(super) types: Vec<Name>,
    /// Whether that is one interface, which objects at the path do not bear as their type.
    pub(super) is_interface: bool,
    /// Whether objects of other types may stand at the path too.
    pub(super) mixed: bool,
    pub(super) template: Template,
}

#[derive(Debug, Clone, Default)]
pub(super) struct SelectionDraft {
    pub(super) fields: IndexMap<Name, FieldDraft>,
    /// Selections for objects of certain types.
    pub(super) fragments: IndexMap<Vec<Name>, SelectionId>,
    pub(super) typename: bool,
}

#[derive(Debug, Clone)]
pub(super) struct FieldDraft {
    pub(super) name: Name,
    pub(super) arguments: Vec<Node<Argument>>,
    pub(super) directives: Vec<Node<Directive>>,
    /// Those of the fragments that it is written in.
    pub(super) around: Around,
    /// In how many lists its value stands.
    pub(super) lists: usize,
    pub(super) selection: Option<SelectionId>,
}

impl Drafts {
    pub(super) fn mark(&self) -> Mark {
        Mark(self.journal.len())
    }

    /// Undoes what was done since `mark`.
    pub(super) fn undo(&mut self, mark: Mark) {
        while self.journal.len() > mark.0 {
            match self.journal.pop() {
                Some(Undo::PushFetch) => drop(self.fetches.pop()),
                Some(Undo::PushSelection) => drop(self.selections.pop()),
                Some(Undo::AddField(id, key)) => {
                    drop(self.selections[id.0].fields.shift_remove(&key))
                }
                Some(Undo::AddFragment(id, types)) => {
                    self.selections[id.0].fragments.shift_remove(&types);
                }
                Some(Undo::NeedTypename(id)) => self.selections[id.0].typename = false,
                Some(Undo::RemoveField(id, index, key, field)) => {
                    self.selections[id.0].fields.shift_insert(index, key, field);
                }
                Some(Undo::AddContext(fetch)) => drop(self.fetches[fetch].contexts.pop()),
                Some(Undo::ExtendTemplate(fetch, template)) => {
                    if let Some(entities) = &mut self.fetches[fetch].entities {
                        entities.template = template;
                    }
                }
                None => return,
            }
        }
    }

    pub(super) fn new_fetch(&mut self, fetch: FetchDraft) -> FetchId {
        self.fetches.push(fetch);
        self.journal.push(Undo::PushFetch);
        self.fetches.len() - 1
    }

    /// Adds a variable to a fetch that takes its values from objects further out.
    pub(super) fn add_context(&mut self, fetch: FetchId, context: ContextDraft) {
        self.fetches[fetch].contexts.push(context);
        self.journal.push(Undo::AddContext(fetch));
    }

    /// Adds what `extra` has to the representations of a fetch.
    pub(super) fn extend_template(&mut self, fetch: FetchId, extra: Template) {
        if let Some(entities) = &mut self.fetches[fetch].entities {
            self.journal.push(Undo::ExtendTemplate(fetch, entities.template.clone()));
            entities.template.merge(extra);
        }
    }

    pub(super) fn new_selection(&mut self) -> SelectionId {
        self.selections.push(SelectionDraft::default());
        self.journal.push(Undo::PushSelection);
        SelectionId(self.selections.len() - 1)
    }

    pub(super) fn selection(&self, id: SelectionId) -> &SelectionDraft {
        &self.selections[id.0]
    }

    pub(super) fn field_count(&self) -> usize {
        self.selections.iter().map(|selection| selection.fields.len()).sum()
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
                directives: field.directives.clone(),
                around: field.around.clone(),
                lists: lists(&field.ty),
                selection,
            },
        );
        self.journal.push(Undo::AddField(id, field.key.clone()));
        selection
    }

    /// The selection of `id` for objects of `types`.
    pub(super) fn fragment(&mut self, id: SelectionId, types: &[Name]) -> SelectionId {
        if let Some(&present) = self.selections[id.0].fragments.get(types) {
            return present;
        }
        let selection = self.new_selection();
        self.selections[id.0].fragments.insert(types.to_vec(), selection);
        self.journal.push(Undo::AddFragment(id, types.to_vec()));
        selection
    }

    pub(super) fn need_typename(&mut self, id: SelectionId) {
        if !std::mem::replace(&mut self.selections[id.0].typename, true) {
            self.journal.push(Undo::NeedTypename(id));
        }
    }

    /// Whether nothing but perhaps `__typename` is selected.
    pub(super) fn is_bare(&self, id: SelectionId) -> bool {
        let selection = self.selection(id);
        selection.fields.is_empty() && selection.fragments.values().all(|&id| self.is_bare(id))
    }

    pub(super) fn remove_field(&mut self, id: SelectionId, key: &Name) {
        if let Some((index, key, field)) = self.selections[id.0].fields.shift_remove_full(key) {
            self.journal.push(Undo::RemoveField(id, index, key, field));
        }
    }

    /// Adds everything of `from` to `into`, for good.
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
        for (types, from) in source.fragments {
            let into = self.fragment(into, &types);
            self.merge(into, from);
        }
    }

    /// What each hub stands for: the fetches that it waits for, without other hubs.
    pub(super) fn hubs(&self) -> BTreeMap<FetchId, BTreeSet<FetchId>> {
        let mut hubs = BTreeMap::new();
        // A hub waits for what was made before it.
        for (fetch, hub) in self.fetches.iter().enumerate().filter(|(_, fetch)| fetch.is_hub()) {
            hubs.insert(fetch, self.dependencies(hub, &hubs));
        }
        hubs
    }

    /// The fetches that `draft` waits for, without hubs.
    pub(super) fn dependencies(
        &self,
        draft: &FetchDraft,
        hubs: &BTreeMap<FetchId, BTreeSet<FetchId>>,
    ) -> BTreeSet<FetchId> {
        let mut dependencies = BTreeSet::new();
        for fetch in &draft.depends_on {
            match hubs.get(fetch) {
                Some(hub) if dependencies.is_empty() => dependencies.clone_from(hub),
                Some(hub) => dependencies.extend(hub),
                None => {
                    dependencies.insert(*fetch);
                }
            }
        }
        dependencies
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
