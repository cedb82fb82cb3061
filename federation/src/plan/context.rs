//! Arguments that take their value from an object further out (`@fromContext`): the value is fetched with that object before
//! anything below it, and handed on as a variable of the fetch that needs it.

use std::collections::BTreeSet;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Value};

use crate::operation::{Field, SelectionSet};
use crate::supergraph::{ContextArgument, FieldSource};

use super::Step;
use super::draft::{ContextDraft, FetchId};
use super::planner::{PlanError, Planner};
use super::spot::Spot;

/// A context that an object on the way to the spot being planned sets.
#[derive(Debug, Clone)]
pub(super) struct ActiveContext<'a> {
    argument: &'a ContextArgument,
    /// The way to the object.
    path: Vec<Step>,
    /// The value, as it is selected there.
    set: SelectionSet,
    /// The fetches that bring it.
    fetches: BTreeSet<FetchId>,
}

impl<'a> Planner<'a> {
    /// Plans what the arguments below `fields` take from the objects of `spot`. What is set so is to be taken back with
    /// [`unset_contexts`](Self::unset_contexts), which is given what this returns.
    pub(super) fn set_contexts(
        &mut self,
        spot: &mut Spot<'a>,
        fields: &[Arc<Field>],
    ) -> Result<usize, PlanError> {
        let before = self.contexts.len();
        let set_here = self.supergraph.type_info(&spot.ty).map(|info| info.contexts.as_slice());
        let Some(set_here) = set_here.filter(|contexts| !contexts.is_empty()) else {
            return Ok(before);
        };
        let mut needed = Vec::new();
        for field in fields {
            self.needed_below(&spot.ty, field, set_here, &mut needed);
        }
        for argument in needed {
            let Some(selection) = argument.selections.get(&spot.ty) else {
                continue;
            };
            let saved = self.save(spot);
            let set = self.names.select(spot.names, selection);
            match self.gather(spot, &set, None)? {
                Some(fetches) => {
                    let path = spot.path.clone();
                    self.contexts.push(ActiveContext { argument, path, set, fetches });
                }
                None => self.restore(spot, saved),
            }
        }
        Ok(before)
    }

    pub(super) fn unset_contexts(&mut self, before: usize) {
        self.contexts.truncate(before);
    }

    /// Collects the arguments of `field` and of what it selects that take their value from one of `contexts`.
    fn needed_below(
        &self,
        ty: &Name,
        field: &Field,
        contexts: &[Arc<str>],
        needed: &mut Vec<&'a ContextArgument>,
    ) {
        for ty in self.supergraph.possible_types(ty) {
            let info = self.supergraph.type_info(&ty).and_then(|info| info.fields.get(&field.name));
            let arguments = info.iter().flat_map(|info| &info.sources).flat_map(|of| &of.contexts);
            for argument in arguments.filter(|argument| contexts.contains(&argument.context)) {
                if !needed.iter().any(|known| std::ptr::eq(*known, argument)) {
                    needed.push(argument);
                }
            }
        }
        if let Some(set) = &field.selections {
            self.needed_in(set, contexts, needed);
        }
    }

    fn needed_in(
        &self,
        set: &SelectionSet,
        contexts: &[Arc<str>],
        needed: &mut Vec<&'a ContextArgument>,
    ) {
        for field in &set.fields {
            self.needed_below(&set.ty, field, contexts, needed);
        }
        for fragment in &set.fragments {
            self.needed_in(fragment, contexts, needed);
        }
    }

    /// The contexts that fill the arguments of a source's field; none when one of them is not set on the way.
    pub(super) fn contexts_of(&self, source: &FieldSource) -> Option<Vec<ActiveContext<'a>>> {
        source
            .contexts
            .iter()
            .map(|argument| {
                let active = self.contexts.iter().rev();
                active.clone().find(|active| std::ptr::eq(active.argument, argument)).cloned()
            })
            .collect()
    }

    /// `field` with its arguments filled by variables of `fetch`.
    pub(super) fn fill(
        &mut self,
        fetch: FetchId,
        field: &Arc<Field>,
        contexts: Vec<ActiveContext<'a>>,
    ) -> Arc<Field> {
        if contexts.is_empty() {
            return field.clone();
        }
        let mut filled = Field::clone(field);
        for context in contexts {
            let ContextArgument { argument, ty, .. } = context.argument;
            // Unique in the plan, because fetches may become one.
            let taken = self.drafts.fetches.iter().map(|fetch| fetch.contexts.len()).sum();
            let variable = self.client.context_variable(taken);
            filled.arguments.push(Node::new(Argument {
                name: argument.clone(),
                value: Node::new(Value::Variable(variable.clone())),
            }));
            let ty = ty.clone();
            let (path, set) = (context.path, context.set);
            self.drafts.add_context(fetch, ContextDraft { variable, ty, path, set });
        }
        Arc::new(filled)
    }
}

/// The fetches that fields with these contexts must come after.
pub(super) fn fetches_of(contexts: &[ActiveContext<'_>]) -> BTreeSet<FetchId> {
    contexts.iter().flat_map(|context| context.fetches.iter().copied()).collect()
}
