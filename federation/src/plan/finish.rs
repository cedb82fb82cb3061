//! Makes a [`Plan`] of drafts: merges the fetches that can be one and puts them in order.
//!
//! Entity fetches to one subgraph that are equally far from the roots become one request, with a list of entities for each
//! place of the answer: a request costs more than what it may wait for.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::operation::DeferSet;
use crate::supergraph::{SubgraphId, Supergraph};

use super::document::Client;
use super::draft::{Drafts, EntityDraft, FetchDraft, FetchId, SelectionId};
use super::{Layout, Plan, Step, node};

/// Fetches that become one.
pub(super) struct Group {
    /// The first of them. Its dependencies are those of all.
    pub(super) fetch: FetchDraft,
    pub(super) level: usize,
    /// The entities of all; none for root fields.
    pub(super) lookups: Vec<Lookup>,
    /// Selections that take others in.
    merges: Vec<(SelectionId, SelectionId)>,
}

/// The entities at one place.
pub(super) struct Lookup {
    pub(super) path: Vec<Step>,
    /// What is selected on objects of which types. A type can be in several.
    pub(super) entries: Vec<(EntityDraft, SelectionId)>,
}

/// Makes the plan of `drafts`. `layout` has the client's keys already.
pub(super) fn finish(
    supergraph: &Supergraph,
    mut drafts: Drafts,
    client: &Client<'_>,
    layout: Layout,
) -> Plan {
    let (groups, places) = grouped(&drafts);
    for (into, from) in groups.iter().flat_map(|group| &group.merges) {
        drafts.merge(*into, *from);
    }
    node::plan(supergraph, &drafts, client, &groups, &places, layout)
}

/// The groups in an order in which none needs a later one, and the place of each draft among them.
fn grouped(drafts: &Drafts) -> (Vec<Group>, Vec<usize>) {
    let levels = late_levels(drafts);
    let mut order: Vec<FetchId> =
        (0..drafts.fetches.len()).filter(|fetch| !drafts.fetches[*fetch].is_hub()).collect();
    order.sort_by_key(|&fetch| (levels[fetch], fetch));
    let mut groups: Vec<Group> = Vec::new();
    // A hub has none.
    let mut places = vec![usize::MAX; drafts.fetches.len()];
    let hubs = drafts.hubs();
    let mut joinable: BTreeMap<(usize, Request), usize> = BTreeMap::new();
    for fetch in order {
        let (level, draft) = (levels[fetch], &drafts.fetches[fetch]);
        let request = request(draft).map(|request| (level, request));
        let place = match request.and_then(|request| joinable.get(&request)) {
            Some(place) => *place,
            None => {
                let (lookups, merges) = (Vec::new(), Vec::new());
                let fetch = FetchDraft { depends_on: BTreeSet::new(), ..draft.clone() };
                groups.push(Group { fetch, level, lookups, merges });
                joinable.extend(request.map(|request| (request, groups.len() - 1)));
                groups.len() - 1
            }
        };
        groups[place].join(draft, drafts.dependencies(draft, &hubs));
        places[fetch] = place;
    }
    (groups, places)
}

/// How good a plan is: what comes first counts first, and less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    /// How many fetches the longest chain has.
    rounds: usize,
    fetches: usize,
    /// How many fields are asked for.
    fields: usize,
}

impl Cost {
    /// What no plan with a fetch is below.
    pub(super) const LEAST: Self = Self { rounds: 1, fetches: 1, fields: usize::MAX };
}

/// What the plan of `drafts` costs.
pub(super) fn cost(drafts: &Drafts) -> Cost {
    let (groups, _) = grouped(drafts);
    Cost {
        rounds: groups.iter().map(|group| group.level + 1).max().unwrap_or_default(),
        fetches: groups.len(),
        fields: drafts.field_count(),
    }
}

/// The levels at which fetches are made: that of the longest chain before each; later where a request for entities would be
/// awaited by nothing and its subgraph is asked again anyway, so that both become one.
fn late_levels(drafts: &Drafts) -> Vec<usize> {
    let mut levels = levels(drafts);
    let fetches = &drafts.fetches;
    let awaited: BTreeSet<FetchId> =
        fetches.iter().flat_map(|fetch| fetch.depends_on.iter().copied()).collect();
    let mut order: Vec<FetchId> = (0..fetches.len()).collect();
    order.sort_by_key(|&fetch| Reverse(levels[fetch]));
    let mut requests: BTreeMap<Request, Vec<FetchId>> = BTreeMap::new();
    for (fetch, draft) in fetches.iter().enumerate() {
        if let Some(request) = request(draft) {
            requests.entry(request).or_default().push(fetch);
        }
    }
    for fetch in order {
        let request = request(&fetches[fetch]);
        let Some(with) = request.and_then(|request| requests.get(&request)) else {
            continue;
        };
        let mut with = with.clone();
        let later = with.iter().map(|&other| levels[other]).filter(|&level| level > levels[fetch]);
        let Some(later) = later.min() else {
            continue;
        };
        with.retain(|&other| levels[other] == levels[fetch]);
        if !with.iter().any(|other| awaited.contains(other)) {
            for other in with {
                levels[other] = later;
            }
        }
    }
    levels
}

/// The longest chain of fetches before each fetch. A draft depends only on drafts made before it or, for root fields of
/// mutations, on all before it, so one pass in order of need is enough.
fn levels(drafts: &Drafts) -> Vec<usize> {
    fn level(drafts: &Drafts, fetch: FetchId, known: &mut Vec<Option<usize>>) -> usize {
        if let Some(level) = known[fetch] {
            return level;
        }
        // A hub takes no time.
        let took = |fetch: FetchId| usize::from(!drafts.fetches[fetch].is_hub());
        let level = drafts.fetches[fetch]
            .depends_on
            .iter()
            .map(|&dependency| level(drafts, dependency, known) + took(dependency))
            .max()
            .unwrap_or_default();
        known[fetch] = Some(level);
        level
    }
    let mut known = vec![None; drafts.fetches.len()];
    (0..drafts.fetches.len()).map(|fetch| level(drafts, fetch, &mut known)).collect()
}

/// What fetches for entities have in common that can be one.
type Request = (SubgraphId, DeferSet);

/// None for root fields; and what depends on contexts is asked for by itself.
fn request(fetch: &FetchDraft) -> Option<Request> {
    let is_joinable = fetch.entities.is_some() && fetch.contexts.is_empty();
    is_joinable.then_some((fetch.subgraph, fetch.defer))
}

impl Group {
    /// Adds what `draft`, which waits for `dependencies`, the first or one that has the same [`Request`], asks for.
    fn join(&mut self, draft: &FetchDraft, mut dependencies: BTreeSet<FetchId>) {
        self.fetch.depends_on.append(&mut dependencies);
        let Some(entities) = &draft.entities else {
            return;
        };
        match self.lookups.iter_mut().find(|lookup| lookup.can_take(entities)) {
            Some(lookup) => {
                let present = lookup.take(entities, draft.selection);
                self.merges.extend(present.map(|present| (present, draft.selection)));
            }
            None => self.lookups.push(Lookup {
                path: entities.path.clone(),
                entries: vec![(entities.clone(), draft.selection)],
            }),
        }
    }
}

impl Lookup {
    /// Whether `draft` is for the same place, and one representation of a type can serve both.
    fn can_take(&self, draft: &EntityDraft) -> bool {
        self.path == draft.path
            && self.entries.iter().all(|(entry, _)| {
                if entry.types == draft.types {
                    entry.template.agrees_with(&draft.template)
                } else {
                    // Objects of a type that both name are represented for both.
                    let is_apart = entry.types.iter().all(|ty| !draft.types.contains(ty));
                    !(entry.is_interface || draft.is_interface)
                        && (is_apart || entry.template.agrees_with(&draft.template))
                }
            })
    }

    /// Adds the entities of `draft`. The selection that is there for their types already must take in theirs.
    fn take(&mut self, draft: &EntityDraft, selection: SelectionId) -> Option<SelectionId> {
        match self.entries.iter_mut().find(|(entry, _)| entry.types == draft.types) {
            Some((entry, present)) => {
                entry.template.merge(draft.template.clone());
                entry.mixed |= draft.mixed;
                Some(*present)
            }
            None => {
                self.entries.push((draft.clone(), selection));
                None
            }
        }
    }
}
