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
    let mut normaliser = Normaliser {
        supergraph,
        document,
        conditions,
        fields: 0,
    };
    let set = &document.operation.selection_set;
    normaliser.set(&set.ty, &[set], 0)
}

struct Normaliser<'a> {
    supergraph: &'a Supergraph,
    document: &'a Document,
    conditions: &'a Conditions,
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

struct DraftField<'a> {
    order: usize,
    occurrences: Vec<&'a exe::Field>,
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
}

impl<'a> Normaliser<'a> {
    fn set(
        &mut self,
        ty: &Name,
        sources: &[&'a exe::SelectionSet],
        depth: usize,
    ) -> Result<SelectionSet, RequestError> {
        let mut draft = Draft::new(ty.clone());
        let mut order = 0;
        for source in sources {
            self.collect(&mut draft, source, &mut order, depth)?;
        }
        self.finish(draft, depth)
    }

    fn collect(
        &mut self,
        draft: &mut Draft<'a>,
        source: &'a exe::SelectionSet,
        order: &mut usize,
        depth: usize,
    ) -> Result<(), RequestError> {
        if depth > MAX_DEPTH {
            return Err(too_complex(format!(
                "the operation nests deeper than {MAX_DEPTH} levels"
            )));
        }
        for selection in &source.selections {
            if !self.conditions.include(selection.directives()) {
                continue;
            }
            match selection {
                exe::Selection::Field(field) => {
                    self.count()?;
                    *order += 1;
                    draft
                        .fields
                        .entry(field.response_key())
                        .or_insert_with(|| DraftField {
                            order: *order,
                            occurrences: Vec::new(),
                        })
                        .occurrences
                        .push(field);
                }
                exe::Selection::InlineFragment(fragment) => {
                    let condition = fragment.type_condition.as_ref();
                    let inner = &fragment.selection_set;
                    self.fragment(draft, condition, inner, order, depth)?;
                }
                exe::Selection::FragmentSpread(spread) => {
                    let Some(fragment) =
                        self.document.executable.fragments.get(&spread.fragment_name)
                    else {
                        continue;
                    };
                    if draft.visited.insert(&fragment.name) {
                        let condition = Some(fragment.type_condition());
                        self.fragment(draft, condition, &fragment.selection_set, order, depth)?;
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
        order: &mut usize,
        depth: usize,
    ) -> Result<(), RequestError> {
        self.count()?;
        let Some(condition) = condition.filter(|condition| !self.always(&draft.ty, condition))
        else {
            return self.collect(draft, inner, order, depth + 1);
        };
        if !self.overlaps(&draft.ty, condition) {
            return Ok(());
        }
        let narrowed = draft
            .fragments
            .entry(condition)
            .or_insert_with(|| Draft::new(condition.clone()));
        self.collect(narrowed, inner, order, depth + 1)
    }

    fn finish(&mut self, draft: Draft<'a>, depth: usize) -> Result<SelectionSet, RequestError> {
        let mut set = SelectionSet::new(draft.ty);
        for (key, DraftField { order, occurrences }) in draft.fields {
            let Some(first) = occurrences.first() else {
                continue;
            };
            let composite = !first.selection_set.is_empty();
            let selections = if composite {
                let inner: Vec<_> = occurrences
                    .iter()
                    .map(|field| &field.selection_set)
                    .collect();
                let ty = first.ty().inner_named_type();
                Some(self.set(ty, &inner, depth + 1)?)
            } else {
                None
            };
            set.fields.push(Arc::new(Field {
                order,
                key: key.clone(),
                name: first.name.clone(),
                arguments: first.arguments.clone(),
                ty: first.ty().clone(),
                selections,
            }));
        }
        for (_, fragment) in draft.fragments {
            let fragment = self.finish(fragment, depth)?;
            if !fragment.is_empty() {
                set.fragments.push(fragment);
            }
        }
        Ok(set)
    }

    /// Whether every object of `ty` satisfies the type condition.
    fn always(&self, ty: &Name, condition: &Name) -> bool {
        ty == condition || self.supergraph.api().is_subtype(condition, ty)
    }

    fn overlaps(&self, ty: &Name, condition: &Name) -> bool {
        let possible = self.supergraph.possible_types(condition);
        self.supergraph
            .possible_types(ty)
            .iter()
            .any(|name| possible.contains(name))
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
