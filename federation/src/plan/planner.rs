//! Drafts the fetches of an operation.
//!
//! Greedy, with a way back: at each spot of the response the fields that a subgraph already visited resolves stay with it;
//! for the rest the subgraph that resolves most of them is entered ([`entity`](super::entity)). What cannot be resolved
//! from a spot is handed to the spot around it, which asks another subgraph for the field that led here. So a plan is
//! found where there is one, without looking at all of them. [`search`](super::search) looks for a better one.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use apollo_compiler::Name;

use crate::operation::{DeferSet, Field, OperationKind, SelectionSet};
use crate::supergraph::{FieldInfo, FieldSet, FieldSource, SubgraphId, Supergraph, TypeKind};

use super::Step;
use super::context::ActiveContext;
use super::coverage::Coverages;
use super::document::Client;
use super::draft::{Drafts, FetchDraft, FetchId};
use super::names::{Names, NamesId};
use super::overrides::Overrides;
use super::search::{Decisions, Found, PlanSettings};
use super::spot::{Origin, Spot};

/// Why there is no plan.
#[derive(Debug)]
pub(super) enum PlanError {
    /// It grew beyond what is accepted, but can be made frugally.
    Exhausted,
    /// The field of this type cannot be reached.
    Unreachable(String),
}

/// How a subgraph comes by a field.
pub(super) enum Access<'a> {
    No,
    Local(&'a FieldInfo, Option<&'a FieldSource>),
    /// It must be given other fields first.
    Requires(&'a FieldInfo, &'a FieldSource),
}

pub(super) struct Planner<'a> {
    pub(super) supergraph: &'a Supergraph,
    pub(super) client: &'a Client<'a>,
    overrides: &'a Overrides,
    /// The contexts that objects on the way set, the nearest last.
    pub(super) contexts: Vec<ActiveContext<'a>>,
    pub(super) drafts: Drafts,
    pub(super) names: Names<'a>,
    /// The fetches that fields were placed in lately: what an entry to a subgraph depends on.
    pub(super) touched: BTreeSet<FetchId>,
    /// The entries being attempted, so that none leads through itself.
    pub(super) entering: Vec<(NamesId, Name, Option<SubgraphId>)>,
    /// How many subgraphs an entry may lead through.
    pub(super) hops: usize,
    /// Whether keys or required fields are planned, for which a hub's stubs will do.
    pub(super) is_gathering: bool,
    pub(super) decisions: Decisions,
    settings: &'a PlanSettings,
    /// Whether the plan must not grow with the number of types ([`hub`](super::hub)).
    pub(super) is_frugal: bool,
    steps: usize,
    /// How often what is being planned is planned anew for types that differ.
    pub(super) copies: usize,
    /// The deferred fragments that are being planned; none for what is needed at once.
    pub(super) defer: DeferSet,
    /// What is known of [`coverage`](Self::coverage), by the fields' addresses; they are kept, lest others come to stand there.
    pub(super) coverages: RefCell<Coverages>,
}

/// A field that is not wholly resolved, and the subgraphs that did what they can.
pub(super) struct Pending {
    pub(super) field: Arc<Field>,
    pub(super) tried: Vec<SubgraphId>,
}

/// What is to be planned.
pub(super) struct Task<'a> {
    pub(super) supergraph: &'a Supergraph,
    pub(super) overrides: &'a Overrides,
    pub(super) client: &'a Client<'a>,
    pub(super) operation: &'a SelectionSet,
    pub(super) settings: &'a PlanSettings,
}

/// Drafts the fetches for an operation.
pub(super) fn draft(
    task: &Task<'_>,
    decisions: Decisions,
    is_frugal: bool,
) -> Result<Found, PlanError> {
    let Task { supergraph, overrides, client, operation, settings } = *task;
    let mut planner = Planner {
        supergraph,
        client,
        overrides,
        contexts: Vec::new(),
        drafts: Drafts::default(),
        names: Names::new(supergraph, operation),
        touched: BTreeSet::new(),
        entering: Vec::new(),
        hops: supergraph.subgraph_ids().count() + 1,
        is_gathering: false,
        decisions,
        settings,
        is_frugal,
        steps: 0,
        copies: 1,
        defer: DeferSet::NONE,
        coverages: RefCell::default(),
    };
    let fields = operation.collect(&|ty| *ty == operation.ty);
    let rest = match client.kind {
        // A subscription's only root field must come from one subgraph, wholly: its events cannot be pieced together.
        OperationKind::Mutation | OperationKind::Subscription => {
            planner.serial(&operation.ty, fields)?
        }
        OperationKind::Query => planner.object(&mut root(&operation.ty), fields)?,
    };
    match rest.first() {
        Some(field) => Err(PlanError::Unreachable(coordinate(&operation.ty, field))),
        // What several types share is drafted once, but may have to be written once for each.
        None if !is_frugal && planner.drafts.are_longer_than(supergraph, settings.first_steps) => {
            Err(PlanError::Exhausted)
        }
        None => {
            Ok(Found { drafts: planner.drafts, decisions: planner.decisions, steps: planner.steps })
        }
    }
}

fn root<'a>(ty: &Name) -> Spot<'a> {
    Spot {
        is_root: true,
        path: Vec::new(),
        ty: ty.clone(),
        possible: vec![ty.clone()],
        is_opaque: false,
        stand_ins: Vec::new(),
        names: Names::ROOT,
        origins: Vec::new(),
        beside: Vec::new(),
        closed: 0,
    }
}

impl<'a> Planner<'a> {
    /// Root fields of a mutation or subscription: each after everything before it, neighbours of one subgraph together.
    fn serial(&mut self, ty: &Name, fields: Vec<Arc<Field>>) -> Result<Vec<Arc<Field>>, PlanError> {
        let mut spot = root(ty);
        for field in fields.into_iter().filter(|field| !is_meta(field)) {
            let target = self
                .supergraph
                .subgraph_ids()
                .filter(|&subgraph| {
                    matches!(self.access(subgraph, ty, &field.name, &[]), Access::Local(..))
                })
                .max_by_key(|&subgraph| {
                    (self.coverage(subgraph, ty, &field, &[]), std::cmp::Reverse(subgraph))
                });
            let Some(target) = target else {
                return Ok(vec![field]);
            };
            let last = spot.origins.last().filter(|last| last.subgraph == target);
            let index = match last {
                Some(_) => spot.origins.len() - 1,
                None => {
                    let before = self.fetches_at_once();
                    self.enter_root(&mut spot, target, before)
                }
            };
            if let Some(rest) = self.place(&spot, index, &field)? {
                return Ok(vec![rest]);
            }
        }
        Ok(Vec::new())
    }

    pub(super) fn enter_root(
        &mut self,
        spot: &mut Spot<'a>,
        subgraph: SubgraphId,
        depends_on: BTreeSet<FetchId>,
    ) -> usize {
        let selection = self.drafts.new_selection();
        let fetch = self.drafts.new_fetch(FetchDraft {
            subgraph,
            depends_on,
            entities: None,
            at: spot.path.clone(),
            selection,
            defer: self.defer,
            contexts: Vec::new(),
        });
        spot.origins.push(Origin {
            subgraph,
            fetch,
            selection,
            is_entry: false,
            provided: Vec::new(),
        });
        spot.origins.len() - 1
    }

    /// Plans `set` on the objects of `spot` and returns what could not be planned.
    pub(super) fn selections(
        &mut self,
        spot: &mut Spot<'a>,
        set: &SelectionSet,
    ) -> Result<SelectionSet, PlanError> {
        let is_object =
            self.supergraph.type_info(&spot.ty).is_some_and(|info| info.kind == TypeKind::Object);
        if !is_object {
            return self.abstract_type(spot, set);
        }
        let fields = self.collect(set, &spot.ty);
        let rest = self.object(spot, fields)?;
        let mut remainder = SelectionSet::new(set.ty.clone());
        if set.ty == spot.ty {
            remainder.fields = rest;
        } else if !rest.is_empty() {
            let mut fragment = SelectionSet::new(spot.ty.clone());
            fragment.fields = rest;
            remainder.fragments.push(fragment);
        }
        Ok(remainder)
    }

    /// What `set` selects on objects of type `ty`.
    pub(super) fn collect(&self, set: &SelectionSet, ty: &Name) -> Vec<Arc<Field>> {
        set.collect(&|condition| self.supergraph.possible_types(condition).contains(ty))
    }

    /// Plans fields of one object type, and those that are delivered later after the others.
    pub(super) fn object(
        &mut self,
        spot: &mut Spot<'a>,
        fields: Vec<Arc<Field>>,
    ) -> Result<Vec<Arc<Field>>, PlanError> {
        let (later, now) = fields.into_iter().partition(|field| self.is_later(field));
        let mut rest = self.at_once(spot, now)?;
        rest.extend(self.later(spot, later)?);
        Ok(rest)
    }

    /// Plans fields of one object type that are delivered together.
    pub(super) fn at_once(
        &mut self,
        spot: &mut Spot<'a>,
        fields: Vec<Arc<Field>>,
    ) -> Result<Vec<Arc<Field>>, PlanError> {
        let wanted: Vec<_> = fields.into_iter().filter(|field| !is_meta(field)).collect();
        let mut pending: Vec<Pending> =
            wanted.iter().cloned().map(|field| Pending { field, tried: Vec::new() }).collect();
        let contexts_before = self.set_contexts(spot, &wanted)?;
        loop {
            for index in 0..spot.origins.len() {
                self.settle(spot, index, &mut pending)?;
            }
            let goes_on = !pending.is_empty()
                && (self.enter_for_plain(spot, &mut pending)?
                    || self.enter_for_required(spot, &mut pending)?);
            if !goes_on {
                break;
            }
        }
        self.unset_contexts(contexts_before);
        Ok(pending.into_iter().map(|pending| pending.field).collect())
    }

    /// Places what the subgraph of origin `index` resolves.
    pub(super) fn settle(
        &mut self,
        spot: &Spot<'a>,
        index: usize,
        pending: &mut Vec<Pending>,
    ) -> Result<(), PlanError> {
        let origin = &spot.origins[index];
        let is_closed = index < spot.closed;
        let mut rest = Vec::with_capacity(pending.len());
        for mut entry in std::mem::take(pending) {
            let is_there = origin.subgraph != SubgraphId::NONE || self.is_gathering;
            let local = is_there
                && !(is_closed && self.is_deferred(&entry.field))
                && !entry.tried.contains(&origin.subgraph)
                && matches!(
                    self.access_at(spot, origin.subgraph, &entry.field.name, &origin.provided),
                    Access::Local(..)
                );
            if local {
                entry.tried.push(origin.subgraph);
                match self.place(spot, index, &entry.field)? {
                    None => continue,
                    Some(remainder) => entry.field = remainder,
                }
            }
            rest.push(entry);
        }
        *pending = rest;
        Ok(())
    }

    /// Selects `field` in origin `index`, plans what is selected on it, and returns what could not be.
    pub(super) fn place(
        &mut self,
        spot: &Spot<'a>,
        index: usize,
        field: &Arc<Field>,
    ) -> Result<Option<Arc<Field>>, PlanError> {
        self.step()?;
        let origin = &spot.origins[index];
        self.touched.insert(origin.fetch);
        let child = self.drafts.add_field(origin.selection, field);
        let (Some(selections), Some(child)) = (&field.selections, child) else {
            return Ok(None);
        };
        let (source, info) =
            match self.access(origin.subgraph, &spot.ty, &field.name, &origin.provided) {
                Access::Local(info, source) => (source, info),
                Access::Requires(info, source) => (Some(source), info),
                Access::No => return Ok(Some(field.clone())),
            };
        let ty = source.and_then(|source| source.ty.as_ref()).unwrap_or(&info.ty);
        let provided = provided_under(&origin.provided, &spot.ty, &field.name, source);
        let named = ty.inner_named_type();
        let is_opaque = self.supergraph.is_object_in(origin.subgraph, named);
        if self.is_abstract(&selections.ty) && !is_opaque {
            self.drafts.need_typename(child);
        }
        let mut path = spot.path.clone();
        path.push(Step::Key(field.key.clone()));
        let mut item = ty;
        while item.is_list() {
            path.push(Step::Each);
            item = item.item_type();
        }
        let mut inner = Spot {
            is_root: false,
            path,
            ty: named.clone(),
            is_opaque,
            stand_ins: self.supergraph.stand_ins(origin.subgraph, named),
            possible: self.supergraph.possible_types_in(origin.subgraph, named),
            names: self.names.child(spot.names, &field.key),
            origins: vec![Origin {
                subgraph: origin.subgraph,
                fetch: origin.fetch,
                selection: child,
                is_entry: false,
                provided,
            }],
            beside: Vec::new(),
            closed: 0,
        };
        let rest = self.selections(&mut inner, selections)?;
        if rest.is_empty() {
            return Ok(None);
        }
        if self.drafts.is_bare(child) {
            self.drafts.remove_field(origin.selection, &field.key);
        }
        let mut remainder = Field::clone(field);
        remainder.selections = Some(rest);
        Ok(Some(Arc::new(remainder)))
    }

    pub(super) fn access(
        &self,
        subgraph: SubgraphId,
        ty: &str,
        field: &str,
        provided: &[&FieldSet],
    ) -> Access<'a> {
        let Some(info) = self.supergraph.type_info(ty).and_then(|info| info.fields.get(field))
        else {
            return Access::No;
        };
        let mut sources = info.sources_in(subgraph);
        let source = sources.find(|source| self.overrides.asks(source.rollout.as_ref()));
        if provided.iter().any(|set| set.field(ty, field).is_some()) {
            return Access::Local(info, source);
        }
        match source {
            None => Access::No,
            Some(source) if source.external => Access::No,
            Some(source) if source.requires.is_some() || !source.contexts.is_empty() => {
                Access::Requires(info, source)
            }
            Some(source) => Access::Local(info, Some(source)),
        }
    }

    /// How a subgraph comes by a field of the objects at `spot`. Where it has their type as an interface, it must resolve
    /// the field on every implementation.
    pub(super) fn access_at(
        &self,
        spot: &Spot<'a>,
        subgraph: SubgraphId,
        field: &str,
        provided: &[&FieldSet],
    ) -> Access<'a> {
        let access = self.access(subgraph, &spot.ty, field, provided);
        let is_interface =
            self.is_abstract(&spot.ty) && !self.supergraph.is_object_in(subgraph, &spot.ty);
        let types = match access {
            Access::Local(_, Some(source)) if is_interface && source.whole => return access,
            Access::Local(..) if is_interface => {
                let mut types = self.supergraph.possible_types_in(subgraph, &spot.ty);
                types.extend(self.supergraph.stand_ins(subgraph, &spot.ty));
                types
            }
            access => return access,
        };
        let for_all = !types.is_empty()
            && types
                .iter()
                .all(|ty| matches!(self.access(subgraph, ty, field, provided), Access::Local(..)));
        if for_all { access } else { Access::No }
    }

    /// Counts work.
    pub(super) fn step(&mut self) -> Result<(), PlanError> {
        self.steps += 1;
        if self.is_frugal || self.may_try() { Ok(()) } else { Err(PlanError::Exhausted) }
    }

    /// Whether something may still be tried that may lead nowhere.
    pub(super) fn may_try(&self) -> bool {
        self.steps < self.settings.first_steps
    }
}

/// What is provided on the objects under `field`.
pub(super) fn provided_under<'a>(
    provided: &[&'a FieldSet],
    ty: &Name,
    field: &Name,
    source: Option<&'a FieldSource>,
) -> Vec<&'a FieldSet> {
    let inherited = provided.iter().filter_map(|set| set.field(ty, field)?.selections.as_ref());
    inherited.chain(source.and_then(|source| source.provides.as_ref())).collect()
}

/// Whether the field is answered without a subgraph: `__typename`, `__schema`, `__type`.
pub(super) fn is_meta(field: &Field) -> bool {
    field.name.starts_with("__")
}

/// How many leaves a field has: whether an attempt led anywhere shows in what it leaves over.
pub(super) fn weight(field: &Field) -> usize {
    fn of_set(set: &SelectionSet) -> usize {
        let fields: usize = set.fields.iter().map(|field| weight(field)).sum();
        fields + set.fragments.iter().map(of_set).sum::<usize>()
    }
    field.selections.as_ref().map_or(1, |set| of_set(set).max(1))
}

fn coordinate(ty: &Name, field: &Field) -> String {
    let inner = field.selections.as_ref().and_then(|set| {
        let deeper = set.fields.first().map(|field| (&set.ty, field));
        deeper.or_else(|| {
            let fragment = set.fragments.first()?;
            fragment.fields.first().map(|field| (&fragment.ty, field))
        })
    });
    match inner {
        Some((ty, field)) => coordinate(ty, field),
        None => format!("{ty}.{}", field.name),
    }
}
