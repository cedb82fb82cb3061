//! Expands fragments and applies conditions: from an operation to its [`SelectionSet`].
//!
//! What an expansion may become is bounded in depth and in size, because fragments can make a short document exponential.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, DirectiveList};
use apollo_compiler::collections::{HashSet, IndexMap};
use apollo_compiler::executable as exe;

use crate::supergraph::Supergraph;

use super::around::{AroundId, Arounds};
use super::defer::{self, DeferSet, DeferUsage, StreamUsage};
use super::{
    Conditions, Document, Field, RequestError, RequestErrorCode, SelectionSet, merge_directives,
};

pub(crate) fn normalise(
    supergraph: &Supergraph,
    document: &Document,
    conditions: &Conditions,
) -> Result<Normalised, RequestError> {
    let mut normaliser = Normaliser {
        supergraph,
        document,
        conditions,
        fields: 0,
        defers: Vec::new(),
        arounds: Arounds::new(),
    };
    let set = &document.operation.selection_set;
    let mut draft = Draft::new(set.ty.clone());
    normaliser.collect(&mut draft, set, Place::default())?;
    let defers: Arc<[DeferUsage]> = normaliser.defers.into();
    let selections = draft.finish(&defers, &normaliser.arounds);
    Ok(Normalised { selections, defers })
}

/// An operation in its normalised form.
pub(crate) struct Normalised {
    pub(crate) selections: SelectionSet,
    /// The deferred fragments, by the numbers that fields refer to them by.
    pub(crate) defers: Arc<[DeferUsage]>,
}

/// Where in the operation selections are being collected.
#[derive(Clone, Copy, Default)]
struct Place {
    /// How many fields and fragments are around them.
    depth: usize,
    /// How many response keys.
    keys: usize,
    /// The innermost deferred fragment.
    defer: Option<usize>,
    /// The directives of fragments around them, since the last response key.
    around: AroundId,
}

impl Place {
    const fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    fn below_key(self) -> Self {
        Self { keys: self.keys + 1, around: AroundId::default(), ..self.deeper() }
    }

    fn set(self) -> DeferSet {
        self.defer.map_or(DeferSet::NONE, DeferSet::of)
    }
}

struct Normaliser<'a> {
    supergraph: &'a Supergraph,
    document: &'a Document,
    conditions: &'a Conditions,
    /// How many selections were met so far, which also numbers them.
    fields: usize,
    /// The deferred fragments met so far.
    defers: Vec<DeferUsage>,
    arounds: Arounds,
}

/// A selection set while its parts are being found.
struct Draft<'a> {
    ty: Name,
    fields: IndexMap<&'a Name, DraftField<'a>>,
    fragments: IndexMap<&'a Name, Draft<'a>>,
    /// Named fragments that were expanded here already, and in which deferred fragment and what directives.
    visited: HashSet<(&'a Name, Option<usize>, AroundId)>,
}

/// A response key, with what all its occurrences select.
struct DraftField<'a> {
    order: usize,
    first: &'a exe::Field,
    directives: Vec<Node<Directive>>,
    around: AroundId,
    selections: Draft<'a>,
    defer: DeferSet,
    stream: Option<StreamUsage>,
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

    fn finish(self, defers: &Arc<[DeferUsage]>, arounds: &Arounds) -> SelectionSet {
        let mut set = SelectionSet::new(self.ty);
        for (key, field) in self.fields {
            let DraftField { order, first, directives, around, selections, defer, stream } = field;
            let composite = !first.selection_set.is_empty();
            set.fields.push(Arc::new(Field {
                order,
                key: key.clone(),
                name: first.name.clone(),
                arguments: first.arguments.clone(),
                directives,
                around: arounds.get(around),
                ty: first.ty().clone(),
                selections: composite.then(|| selections.finish(defers, arounds)),
                defer: defer.outermost(defers),
                defers: (!defer.is_none()).then(|| defers.clone()),
                stream,
                withheld: false,
            }));
        }
        let fragments = self.fragments.into_values();
        let fragments = fragments.map(|fragment| fragment.finish(defers, arounds));
        set.fragments.extend(fragments.filter(|fragment| !fragment.is_empty()));
        set
    }
}

impl<'a> Normaliser<'a> {
    fn collect(
        &mut self,
        draft: &mut Draft<'a>,
        source: &'a exe::SelectionSet,
        place: Place,
    ) -> Result<(), RequestError> {
        if place.depth > self.document.limits.depth {
            return Err(self.too_deep(source));
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
                            directives: Vec::new(),
                            around: place.around,
                            selections: Draft::new(field.ty().inner_named_type().clone()),
                            defer: place.set(),
                            stream: self.conditions.stream(&field.directives),
                        });
                    entry.defer = entry.defer.met(place.set());
                    entry.around = entry.around.met(place.around);
                    merge_directives(
                        &mut entry.directives,
                        field.directives.iter().filter(|one| is_for_subgraphs(one)),
                    );
                    self.collect(&mut entry.selections, &field.selection_set, place.below_key())?;
                }
                exe::Selection::InlineFragment(fragment) => {
                    let place = self.inside(&fragment.directives, place);
                    let condition = fragment.type_condition.as_ref();
                    self.fragment(draft, condition, &fragment.selection_set, place)?;
                }
                exe::Selection::FragmentSpread(spread) => {
                    let place = self.inside(&spread.directives, place);
                    let fragments = &self.document.executable.fragments;
                    if let Some(fragment) = fragments.get(&spread.fragment_name)
                        && draft.visited.insert((&fragment.name, place.defer, place.around))
                    {
                        let condition = Some(fragment.type_condition());
                        self.fragment(draft, condition, &fragment.selection_set, place)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The place inside a fragment with these directives.
    fn inside(&mut self, directives: &DirectiveList, place: Place) -> Place {
        let schema = self.supergraph.api();
        let around = self.arounds.inside(place.around, directives, schema);
        self.deferred(directives, Place { around, ..place })
    }

    /// The place inside a fragment with these directives, which may defer it.
    fn deferred(&mut self, directives: &DirectiveList, place: Place) -> Place {
        let number = self.defers.len();
        if number >= defer::MOST || !self.conditions.defer(directives) {
            return place;
        }
        let around = place
            .defer
            .map_or(DeferSet::NONE, |outer| DeferSet::of(outer).with(self.defers[outer].around));
        let label = directives
            .get("defer")
            .and_then(|directive| directive.specified_argument_by_name("label"))
            .and_then(|label| label.as_str())
            .map(Into::into);
        self.defers.push(DeferUsage { label, around, depth: place.keys });
        Place { defer: Some(number), ..place }
    }

    fn fragment(
        &mut self,
        draft: &mut Draft<'a>,
        condition: Option<&'a Name>,
        inner: &'a exe::SelectionSet,
        place: Place,
    ) -> Result<(), RequestError> {
        let Some(condition) = condition.filter(|condition| !self.always(&draft.ty, condition))
        else {
            return self.collect(draft, inner, place.deeper());
        };
        if !self.overlaps(&draft.ty, condition) {
            return Ok(());
        }
        let narrowed =
            draft.fragments.entry(condition).or_insert_with(|| Draft::new(condition.clone()));
        self.collect(narrowed, inner, place.deeper())
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
        let most = self.document.limits.fields;
        if self.fields > most {
            let message = format!(
                "the operation expands to more than {most} fields and fragments; it may to {most} at most"
            );
            return Err(RequestError::new(RequestErrorCode::OperationTooComplex, message));
        }
        Ok(())
    }

    fn too_deep(&self, source: &exe::SelectionSet) -> RequestError {
        let most = self.document.limits.depth;
        let message = format!(
            "the operation nests deeper than {most} levels once its fragments are expanded; it may nest {most} at most"
        );
        let at = source.selections.first().and_then(|selection| match selection {
            exe::Selection::Field(field) => field.location(),
            exe::Selection::InlineFragment(fragment) => fragment.location(),
            exe::Selection::FragmentSpread(spread) => spread.location(),
        });
        RequestError::new(RequestErrorCode::TooDeep, message)
            .at(at, &self.document.executable.sources)
    }
}

/// Whether a directive is not this engine's own business. Those that a client may use besides are defined by every subgraph.
pub(crate) fn is_for_subgraphs(directive: &Directive) -> bool {
    !matches!(directive.name.as_str(), "skip" | "include" | "defer" | "stream")
}
