//! Expands fragments and applies conditions: from an operation to its [`SelectionSet`].
//!
//! What an expansion may become is bounded in depth and in size, because fragments can make a short document exponential.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::collections::{HashSet, IndexMap};
use apollo_compiler::executable as exe;

use crate::supergraph::Supergraph;

use super::{Conditions, Document, Field, RequestError, RequestErrorCode, SelectionSet};

/// How deep fields and fragments may nest once expanded.
const MAX_DEPTH: usize = 100;
/// How many fields there may be once expanded.
const MAX_FIELDS: usize = 20_000;

pub(crate) fn normalise(
    supergraph: &Supergraph,
    document: &Document,
    conditions: &Conditions,
) -> Result<SelectionSet, RequestError> {
    let mut normaliser = Normaliser { supergraph, document, conditions, fields: 0 };
    let set = &document.operation.selection_set;
    let mut draft = Draft::new(set.ty.clone());
    normaliser.collect(&mut draft, set, 0)?;
    Ok(draft.finish())
}

struct Normaliser<'a> {
    supergraph: &'a Supergraph,
    document: &'a Document,
    conditions: &'a Conditions,
    /// How many selections were met so far, which also numbers them.
    fields: usize,
}

/// A selection set while its parts are being found.
struct Draft<'a> {
    ty: Name,
    fields: IndexMap<&'a Name, DraftField<'a>>,
    fragments: IndexMap<&'a Name, Draft<'a>>,
    /// Named fragments that were expanded here already.
    visited: HashSet<&'a Name>,
}

/// A response key, with what all its occurrences select.
struct DraftField<'a> {
    order: usize,
    first: &'a exe::Field,
    selections: Draft<'a>,
}

impl<'a> Draft<'a> {
    fn new(ty: Name) -> Self {
        Self {
            ty,
            fields: IndexMap::default(),
            fragments: IndexMap::default(),
            visited: HashSet::default(),
        }
    }

    fn finish(self) -> SelectionSet {
        let mut set = SelectionSet::new(self.ty);
        for (key, field) in self.fields {
            let DraftField { order, first, selections } = field;
            let composite = !first.selection_set.is_empty();
            set.fields.push(Arc::new(Field {
                order,
                key: key.clone(),
                name: first.name.clone(),
                arguments: first.arguments.clone(),
                ty: first.ty().clone(),
                selections: composite.then(|| selections.finish()),
                withheld: false,
            }));
        }
        let fragments = self.fragments.into_values().map(Draft::finish);
        set.fragments.extend(fragments.filter(|fragment| !fragment.is_empty()));
        set
    }
}

impl<'a> Normaliser<'a> {
    fn collect(
        &mut self,
        draft: &mut Draft<'a>,
        source: &'a exe::SelectionSet,
        depth: usize,
    ) -> Result<(), RequestError> {
        if depth > MAX_DEPTH {
            return Err(too_complex(format!("the operation nests deeper than {MAX_DEPTH} levels")));
        }
        for selection in &source.selections {
            if !self.conditions.include(selection.directives()) {
                continue;
            }
            self.count()?;
            match selection {
                exe::Selection::Field(field) => {
                    let order = self.fields;
                    let entry =
                        draft.fields.entry(field.response_key()).or_insert_with(|| DraftField {
                            order,
                            first: field,
                            selections: Draft::new(field.ty().inner_named_type().clone()),
                        });
                    self.collect(&mut entry.selections, &field.selection_set, depth + 1)?;
                }
                exe::Selection::InlineFragment(fragment) => {
                    let condition = fragment.type_condition.as_ref();
                    self.fragment(draft, condition, &fragment.selection_set, depth)?;
                }
                exe::Selection::FragmentSpread(spread) => {
                    let fragments = &self.document.executable.fragments;
                    if let Some(fragment) = fragments.get(&spread.fragment_name)
                        && draft.visited.insert(&fragment.name)
                    {
                        let condition = Some(fragment.type_condition());
                        self.fragment(draft, condition, &fragment.selection_set, depth)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn fragment(
        &mut self,
        draft: &mut Draft<'a>,
        condition: Option<&'a Name>,
        inner: &'a exe::SelectionSet,
        depth: usize,
    ) -> Result<(), RequestError> {
        let Some(condition) = condition.filter(|condition| !self.always(&draft.ty, condition))
        else {
            return self.collect(draft, inner, depth + 1);
        };
        if !self.overlaps(&draft.ty, condition) {
            return Ok(());
        }
        let narrowed =
            draft.fragments.entry(condition).or_insert_with(|| Draft::new(condition.clone()));
        self.collect(narrowed, inner, depth + 1)
    }

    /// Whether every object of `ty` satisfies the type condition.
    fn always(&self, ty: &Name, condition: &Name) -> bool {
        ty == condition || self.supergraph.api().is_subtype(condition, ty)
    }

    fn overlaps(&self, ty: &Name, condition: &Name) -> bool {
        let possible = self.supergraph.visible_types(condition);
        self.supergraph.visible_types(ty).iter().any(|name| possible.contains(name))
    }

    fn count(&mut self) -> Result<(), RequestError> {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Err(too_complex(format!(
                "the operation expands to more than {MAX_FIELDS} fields"
            )));
        }
        Ok(())
    }
}

fn too_complex(message: String) -> RequestError {
    RequestError::new(RequestErrorCode::OperationTooComplex, message)
}
