//! Entering a subgraph at a spot: by a root field, or by a key whose fields are gathered first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use apollo_compiler::Name;

use crate::operation::{Field, SelectionSet};
use crate::supergraph::{FieldSet, FieldSetField, FieldSource, Key, SubgraphId};

use super::context;
use super::draft::{EntityDraft, FetchDraft, FetchId, Mark};
use super::planner::{Access, Pending, PlanError, Planner, provided_under, weight};
use super::reach::{Entry, Reach};
use super::spot::{Origin, Spot};
use super::{Step, Template};

impl<'a> Planner<'a> {
    /// Enters the subgraph that resolves most of what is pending. False when none can be entered with use.
    pub(super) fn enter_for_plain(
        &mut self,
        spot: &mut Spot<'a>,
        pending: &mut Vec<Pending>,
    ) -> Result<bool, PlanError> {
        let mut candidates = self.candidates(spot, pending);
        let first = self.decisions.decide(candidates.len());
        if let Some(preferred) = candidates.get_mut(..=first) {
            preferred.rotate_right(1);
        }
        for (target, coverage) in candidates {
            let before = (coverage == 0).then(|| self.save(spot));
            if let Some(index) = self.enter(spot, target, &BTreeSet::new(), None)? {
                let left = total_weight(pending);
                self.settle(spot, index, pending)?;
                if total_weight(pending) < left {
                    return Ok(true);
                }
            } else {
                for entry in pending.iter_mut() {
                    entry.tried.push(target);
                }
            }
            if let Some(before) = before {
                self.restore(spot, before);
            }
        }
        Ok(false)
    }

    /// The subgraphs not yet tried that resolve something of what is pending, best first.
    fn candidates(&self, spot: &Spot<'a>, pending: &[Pending]) -> Vec<(SubgraphId, usize)> {
        let mut covered: BTreeMap<SubgraphId, usize> = BTreeMap::new();
        for Pending { field, tried } in pending {
            for subgraph in self.subgraphs_with(&spot.ty, &field.name) {
                let access = || self.access_at(spot, subgraph, &field.name, &[]);
                if !tried.contains(&subgraph) && matches!(access(), Access::Local(..)) {
                    *covered.entry(subgraph).or_default() +=
                        self.coverage(subgraph, &spot.ty, field, &[]);
                }
            }
        }
        let mut candidates: Vec<_> = covered.into_iter().collect();
        if candidates.len() > 1 {
            let mut beside: BTreeMap<SubgraphId, usize> = BTreeMap::new();
            for (ty, field) in &spot.beside {
                for subgraph in self.subgraphs_with(ty, &field.name) {
                    *beside.entry(subgraph).or_default() += self.coverage(subgraph, ty, field, &[]);
                }
            }
            candidates.sort_by_cached_key(|&(subgraph, coverage)| {
                let beside = beside.get(&subgraph).copied().unwrap_or_default();
                let direct =
                    self.keys(spot, subgraph).iter().any(|key| self.is_at_hand(spot, &key.fields));
                (Reverse(coverage), Reverse(beside), !direct, subgraph)
            });
        }
        candidates
    }

    /// The subgraphs that have a field, each once.
    fn subgraphs_with(
        &self,
        ty: &Name,
        field: &Name,
    ) -> impl Iterator<Item = SubgraphId> + use<'a> {
        let info = self.supergraph.type_info(ty).and_then(|info| info.fields.get(field));
        let sources = info
            .into_iter()
            .flat_map(|info| info.sources.chunk_by(|one, two| one.subgraph == two.subgraph));
        sources.filter_map(|sources| sources.first()).map(|source| source.subgraph)
    }

    /// Enters subgraphs for fields that must be given other fields. False when that works for none.
    pub(super) fn enter_for_required(
        &mut self,
        spot: &mut Spot<'a>,
        pending: &mut Vec<Pending>,
    ) -> Result<bool, PlanError> {
        let mut any = false;
        for target in self.supergraph.subgraph_ids() {
            let mut rest = Vec::with_capacity(pending.len());
            for mut entry in std::mem::take(pending) {
                match self.place_required(spot, target, &mut entry)? {
                    Placed::Not => rest.push(entry),
                    Placed::Partly => {
                        any = true;
                        rest.push(entry);
                    }
                    Placed::Wholly => any = true,
                }
            }
            *pending = rest;
        }
        Ok(any)
    }

    /// Gathers what `target` requires for a field and places the field there.
    fn place_required(
        &mut self,
        spot: &mut Spot<'a>,
        target: SubgraphId,
        entry: &mut Pending,
    ) -> Result<Placed, PlanError> {
        let Access::Requires(_, source) = self.access_at(spot, target, &entry.field.name, &[])
        else {
            return Ok(Placed::Not);
        };
        let Some(contexts) = self.contexts_of(source) else {
            return Ok(Placed::Not);
        };
        if entry.tried.contains(&target) {
            return Ok(Placed::Not);
        }
        entry.tried.push(target);
        let is_sure = contexts.is_empty()
            && source.requires.as_ref().is_none_or(|requires| self.is_at_hand(spot, requires));
        let before = (!is_sure).then(|| self.save(spot));
        let set = source.requires.as_ref().map(|set| self.names.select(spot.names, set));
        let gathered = match &set {
            Some(set) => self.gather(spot, set, Some(target))?,
            None => Some(BTreeSet::new()),
        };
        let gathered = gathered.map(|fetches| &fetches | &context::fetches_of(&contexts));
        if let Some(dependencies) = gathered
            && let Some(index) = self.enter(spot, target, &dependencies, set.as_ref())?
        {
            let fetch = spot.origins[index].fetch;
            let field = self.fill(fetch, &entry.field, contexts);
            match self.place(spot, index, &field)? {
                None => return Ok(Placed::Wholly),
                Some(rest) if weight(&rest) < weight(&entry.field) => {
                    let mut rest = Field::clone(&rest);
                    rest.arguments.clone_from(&entry.field.arguments);
                    entry.field = Arc::new(rest);
                    return Ok(Placed::Partly);
                }
                Some(_) => {}
            }
        }
        if let Some(before) = before {
            self.restore(spot, before);
        }
        Ok(Placed::Not)
    }

    /// Enters `target` after `dependencies`, with the fields of `required` in the representations.
    pub(super) fn enter(
        &mut self,
        spot: &mut Spot<'a>,
        target: SubgraphId,
        dependencies: &BTreeSet<FetchId>,
        required: Option<&SelectionSet>,
    ) -> Result<Option<usize>, PlanError> {
        if spot.is_root {
            return Ok(Some(self.enter_root(spot, target, BTreeSet::new())));
        }
        if self.is_query_type(&spot.ty) {
            // Whoever has the query type answers its fields; the fetch that led here must have.
            let after = spot.origins.first().map(|origin| origin.fetch);
            return Ok(Some(self.enter_root(spot, target, after.into_iter().collect())));
        }
        let extra =
            required.map(|set| Template::new(self.supergraph, set, true)).unwrap_or_default();
        if let Some(index) = self.entered_already(spot, target, dependencies, &extra) {
            let fetch = spot.origins[index].fetch;
            self.drafts.extend_template(fetch, extra);
            return Ok(Some(index));
        }
        let Some(Gathered { ty, mut template, mut depends_on }) = self.gather_key(spot, target)?
        else {
            return Ok(None);
        };
        if !template.agrees_with(&extra) {
            return Ok(None);
        }
        template.merge(extra);
        depends_on.extend(dependencies);
        let selection = self.drafts.new_selection();
        let mut path = spot.path.clone();
        let mut mixed = false;
        let is_interface = self.is_abstract(&ty);
        let types = if is_interface { vec![ty] } else { spot.types() };
        // An object type's entry picks its objects by their type; under an interface's name the path must.
        while !is_interface && matches!(path.last(), Some(Step::Type(_))) {
            path.pop();
            mixed = true;
        }
        let fetch = self.drafts.new_fetch(FetchDraft {
            subgraph: target,
            depends_on,
            at: Vec::new(),
            entities: Some(EntityDraft { path, types, is_interface, mixed, template }),
            selection,
            defer: self.defer,
            contexts: Vec::new(),
        });
        spot.origins.push(Origin {
            subgraph: target,
            fetch,
            selection,
            is_entry: true,
            provided: Vec::new(),
        });
        Ok(Some(spot.origins.len() - 1))
    }

    fn entered_already(
        &self,
        spot: &Spot<'a>,
        target: SubgraphId,
        dependencies: &BTreeSet<FetchId>,
        extra: &Template,
    ) -> Option<usize> {
        // What is gathered for a key may come from an entry that takes no deferred fields.
        let open = if self.entering.is_empty() { spot.closed } else { 0 };
        let entries = spot.origins.iter().enumerate().skip(open);
        let mut fitting = entries.filter(|(_, origin)| {
            origin.is_entry
                && origin.subgraph == target
                && self.drafts.comes_after(origin.fetch, dependencies)
                && self.drafts.fetches[origin.fetch]
                    .entities
                    .as_ref()
                    .is_some_and(|entities| entities.template.agrees_with(extra))
        });
        fitting.next().map(|(index, _)| index)
    }

    /// Gathers the fields of one of `target`'s keys, by as few subgraphs as will do.
    fn gather_key(
        &mut self,
        spot: &mut Spot<'a>,
        target: SubgraphId,
    ) -> Result<Option<Gathered>, PlanError> {
        let hops = self.hops;
        if hops == 0 {
            return Ok(None);
        }
        let way = match self.reach(spot, target) {
            Reach::Not => return Ok(None),
            Reach::By(way) if way.len() <= hops => way,
            Reach::By(_) | Reach::Unclear => Vec::new(),
        };
        if let Some((last, before)) = way.split_last()
            && let Some(gathered) = self.gather_on_way(spot, before, *last)?
        {
            return Ok(Some(gathered));
        }
        let keys = self.keys(spot, target);
        for (limit, key) in (1..hops).flat_map(|limit| keys.iter().map(move |key| (limit, *key))) {
            if limit > 1 && !self.may_try() {
                break;
            }
            let saved = self.save(spot);
            if let Some(gathered) =
                self.gather_within(spot, Entry { subgraph: target, key }, limit)?
            {
                return Ok(Some(gathered));
            }
            self.restore(spot, saved);
        }
        Ok(None)
    }

    /// Gathers the fields of the key of `last` where entering those `before` it brings them.
    fn gather_on_way(
        &mut self,
        spot: &mut Spot<'a>,
        before: &[Entry<'a>],
        last: Entry<'a>,
    ) -> Result<Option<Gathered>, PlanError> {
        // What is at hand can be gathered for certain, so there is nothing to go back to.
        let saved = (!before.is_empty()).then(|| self.save(spot));
        // One that comes between is chosen for all fields of the key together.
        let is_long = before.len() > 1;
        for entry in before.iter().filter(|_| is_long) {
            self.enter(spot, entry.subgraph, &BTreeSet::new(), None)?;
        }
        let limit = if is_long { 0 } else { before.len() };
        let gathered = self.gather_within(spot, last, limit)?;
        if let (None, Some(saved)) = (&gathered, saved) {
            self.restore(spot, saved);
        }
        Ok(gathered)
    }

    /// Gathers the fields of a key by so many subgraphs that are not entered yet.
    fn gather_within(
        &mut self,
        spot: &mut Spot<'a>,
        entry: Entry<'a>,
        limit: usize,
    ) -> Result<Option<Gathered>, PlanError> {
        self.step()?;
        let set = self.names.select(spot.names, &entry.key.fields);
        let hops = std::mem::replace(&mut self.hops, limit);
        let dependencies = self.gather(spot, &set, Some(entry.subgraph));
        self.hops = hops;
        Ok(dependencies?.map(|depends_on| Gathered {
            ty: entry.key.entered_as.as_ref().unwrap_or(&spot.ty).clone(),
            template: Template::new(self.supergraph, &set, false),
            depends_on,
        }))
    }

    /// Plans `set`, which `target` needs, or something further in, and returns the fetches that bring it. None when it
    /// cannot be had.
    pub(super) fn gather(
        &mut self,
        spot: &mut Spot<'a>,
        set: &SelectionSet,
        target: Option<SubgraphId>,
    ) -> Result<Option<BTreeSet<FetchId>>, PlanError> {
        let mark = (spot.names, spot.ty.clone(), target);
        if self.entering.iter().filter(|entry| **entry == mark).count() > 1 {
            return Ok(None);
        }
        self.entering.push(mark);
        let touched = std::mem::take(&mut self.touched);
        let fields = set.collect(&|ty| self.supergraph.possible_types(ty).contains(&spot.ty));
        let was_gathering = std::mem::replace(&mut self.is_gathering, true);
        let rest = self.object(spot, fields);
        self.is_gathering = was_gathering;
        self.entering.pop();
        let dependencies = std::mem::replace(&mut self.touched, touched);
        Ok(rest?.is_empty().then_some(dependencies))
    }

    pub(super) fn is_query_type(&self, ty: &str) -> bool {
        let schema = &self.supergraph.api().schema_definition;
        schema.query.as_ref().is_some_and(|query| query.as_str() == ty)
    }

    /// The keys by which `target` can be entered.
    pub(super) fn keys(&self, spot: &Spot<'a>, target: SubgraphId) -> Vec<&'a Key> {
        self.all_keys(spot).filter(|key| key.subgraph == target).collect()
    }

    /// The keys by which any subgraph can be entered. Objects whose types are known are entered by these, and under an
    /// interface's name only where that is an object.
    pub(super) fn all_keys(&self, spot: &Spot<'a>) -> impl Iterator<Item = &'a Key> + use<'a> {
        let info = self.supergraph.type_info(&spot.ty);
        let by_type = self.is_abstract(&spot.ty) && !spot.is_opaque;
        let keys =
            info.into_iter().flat_map(move |info| info.keys.iter().map(move |key| (info, key)));
        keys.filter(move |(info, key)| !by_type || info.object_in.contains(&key.subgraph))
            .map(|(_, key)| key)
    }

    /// Whether subgraphs already visited resolve all of `set`, each field wholly in one.
    pub(super) fn is_at_hand(&self, spot: &Spot<'a>, set: &FieldSet) -> bool {
        set.fragments.is_empty()
            && set.fields.iter().all(|field| self.is_field_at_hand(spot, field))
    }

    /// Whether a subgraph already visited resolves `field` wholly.
    pub(super) fn is_field_at_hand(&self, spot: &Spot<'a>, field: &FieldSetField) -> bool {
        spot.origins
            .iter()
            .any(|origin| self.is_wholly_in(spot, origin.subgraph, field, &origin.provided))
    }

    /// Whether the subgraph resolves `field` of the objects at `spot` and all that is selected on it.
    pub(super) fn is_wholly_in(
        &self,
        spot: &Spot<'a>,
        subgraph: SubgraphId,
        field: &FieldSetField,
        provided: &[&'a FieldSet],
    ) -> bool {
        match self.access_at(spot, subgraph, &field.name, provided) {
            Access::Local(_, source) => {
                self.is_inside_resolved(subgraph, &spot.ty, field, source, provided)
            }
            _ => false,
        }
    }

    /// Whether the subgraph resolves all that is selected on a `field` of `ty`, with what is provided around it.
    fn is_inside_resolved(
        &self,
        subgraph: SubgraphId,
        ty: &Name,
        field: &FieldSetField,
        source: Option<&'a FieldSource>,
        provided: &[&'a FieldSet],
    ) -> bool {
        let Some(set) = &field.selections else {
            return true;
        };
        let provided = provided_under(provided, ty, &field.name, source);
        let is_resolved =
            |field: &FieldSetField| match self.access(subgraph, &set.ty, &field.name, &provided) {
                Access::Local(_, source) => {
                    self.is_inside_resolved(subgraph, &set.ty, field, source, &provided)
                }
                _ => false,
            };
        set.fragments.is_empty() && set.fields.iter().all(is_resolved)
    }

    pub(super) fn save(&mut self, spot: &Spot<'a>) -> Saved {
        Saved {
            drafts: self.drafts.mark(),
            touched: self.touched.clone(),
            origins: spot.origins.len(),
        }
    }

    pub(super) fn restore(&mut self, spot: &mut Spot<'a>, saved: Saved) {
        self.drafts.undo(saved.drafts);
        self.touched = saved.touched;
        spot.origins.truncate(saved.origins);
    }
}

/// A key's fields, and what brings them.
struct Gathered {
    /// The name that the representations bear.
    ty: Name,
    template: Template,
    depends_on: BTreeSet<FetchId>,
}

/// How much of a field found its place.
enum Placed {
    Not,
    Partly,
    Wholly,
}

/// What an attempt that fails must leave as it was.
pub(super) struct Saved {
    drafts: Mark,
    touched: BTreeSet<FetchId>,
    origins: usize,
}

fn total_weight(pending: &[Pending]) -> usize {
    pending.iter().map(|entry| weight(&entry.field)).sum()
}
