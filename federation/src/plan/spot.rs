//! A place in the response whose objects the planner looks at, and the fetches that reach it.

use std::sync::Arc;

use apollo_compiler::Name;

use crate::operation::Field;
use crate::supergraph::{FieldSet, SubgraphId};

use super::Step;
use super::draft::{FetchId, SelectionId};
use super::names::NamesId;

#[derive(Debug)]
pub(super) struct Spot<'a> {
    /// Whether this is the operation's root type, which every subgraph that has it can be asked for.
    pub(super) is_root: bool,
    pub(super) path: Vec<Step>,
    /// The type as the first origin's subgraph declares it. Of object types that are alike, the first.
    pub(super) ty: Name,
    /// The object types that can stand here; where `ty` is one, those that are planned as it is.
    pub(super) possible: Vec<Name>,
    /// Whether the origin's subgraph cannot tell which of them an object is, because it has the interface as an object.
    pub(super) is_opaque: bool,
    /// The interfaces that are objects in the origin's subgraph and may stand here beside the possible types.
    pub(super) stand_ins: Vec<Name>,
    pub(super) names: NamesId,
    /// The one that led here first, then entity fetches for these objects.
    pub(super) origins: Vec<Origin<'a>>,
    /// What is planned for some of the types after what is being planned for all of them.
    pub(super) beside: Vec<(Name, Arc<Field>)>,
    /// How many of the origins take no more of what is being planned, because it is to be delivered after them.
    pub(super) closed: usize,
}

/// A fetch that selects on a spot's objects.
#[derive(Debug, Clone)]
pub(super) struct Origin<'a> {
    pub(super) subgraph: SubgraphId,
    pub(super) fetch: FetchId,
    pub(super) selection: SelectionId,
    /// Whether the fetch enters the subgraph at this spot, by a representation.
    pub(super) is_entry: bool,
    /// What `@provides` adds to what the subgraph resolves here.
    pub(super) provided: Vec<&'a FieldSet>,
}

impl<'a> Spot<'a> {
    /// The object types that are planned as the one that the spot is of.
    pub(super) fn types(&self) -> Vec<Name> {
        if self.possible.contains(&self.ty) { self.possible.clone() } else { vec![self.ty.clone()] }
    }

    /// The objects here that are of `possible` types, seen as `ty`.
    pub(super) fn narrowed(&self, ty: &Name, possible: Vec<Name>, origin: Origin<'a>) -> Self {
        let mut path = self.path.clone();
        while matches!(path.last(), Some(Step::Type(_))) {
            path.pop();
        }
        path.push(Step::Type(possible.clone()));
        Self {
            is_root: false,
            path,
            ty: ty.clone(),
            possible,
            is_opaque: false,
            stand_ins: Vec::new(),
            names: self.names,
            origins: vec![origin],
            beside: Vec::new(),
            closed: 0,
        }
    }
}
