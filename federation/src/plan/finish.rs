//! Makes a [`Plan`] of drafts: merges the fetches that can be one and puts them in order.
//!
//! Entity fetches to one subgraph that are equally far from the roots become one request, with a list of entities for each
//! place of the answer: a request costs more than what it may wait for.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::supergraph::Supergraph;

use super::document::Client;
use super::draft::{DraftStep, Drafts, EntityDraft, FetchDraft, FetchId, SelectionId};
use super::{Layout, Plan, node};

/// Fetches that become one.
pub(super) struct Group {
    /// The first of them. Its dependencies are those of all.
    pub(super) fetch: FetchDraft,
    pub(super) level: usize,
    /// The entities of all; none for root fields.
    pub(super) lookups: Vec<Lookup>,
}

/// The entities at one place.
pub(super) struct Lookup {
    pub(super) path: Vec<DraftStep>,
    /// One entry for each type, with what is selected on it.
    pub(super) entries: Vec<(EntityDraft, SelectionId)>,
}

/// Makes the plan of `drafts`. `layout` has the client's keys already.
pub(super) fn finish(
    supergraph: &Supergraph,
    mut drafts: Drafts,
    client: &Client<'_>,
    layout: Layout,
) -> Plan {
    let levels = late_levels(&drafts);
    let mut order: Vec<FetchId> = (0..drafts.fetches.len()).collect();
    order.sort_by_key(|&fetch| (levels[fetch], fetch));
    let mut groups: Vec<Group> = Vec::new();
    let mut places: BTreeMap<FetchId, usize> = BTreeMap::new();
    for fetch in order {
        let draft = drafts.fetches[fetch].clone();
        let is_together =
            |group: &Group| group.level == levels[fetch] && is_request(&group.fetch, &draft);
        let place = match groups.iter().position(is_together) {
            Some(place) => place,
            None => {
                let (level, lookups) = (levels[fetch], Vec::new());
                groups.push(Group { fetch: draft.clone(), level, lookups });
                groups.len() - 1
            }
        };
        groups[place].join(draft, &mut drafts);
        places.insert(fetch, place);
    }
    node::plan(supergraph, &drafts, client, &groups, &places, layout)
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
    for fetch in order {
        let mut with: Vec<FetchId> = (0..fetches.len())
            .filter(|&other| is_request(&fetches[fetch], &fetches[other]))
            .collect();
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
        let level = drafts.fetches[fetch]
            .depends_on
            .iter()
            .map(|&dependency| level(drafts, dependency, known) + 1)
            .max()
            .unwrap_or_default();
        known[fetch] = Some(level);
        level
    }
    let mut known = vec![None; drafts.fetches.len()];
    (0..drafts.fetches.len()).map(|fetch| level(drafts, fetch, &mut known)).collect()
}

/// Whether both ask one subgraph for entities. What depends on contexts is asked for by itself.
fn is_request(one: &FetchDraft, two: &FetchDraft) -> bool {
    let is_joinable = |fetch: &FetchDraft| fetch.entities.is_some() && fetch.contexts.is_empty();
    is_joinable(one) && is_joinable(two) && one.subgraph == two.subgraph && one.defer == two.defer
}

impl Group {
    /// Adds what `draft`, the first or one that [`is_request`] with it, asks for.
    fn join(&mut self, draft: FetchDraft, drafts: &mut Drafts) {
        self.fetch.depends_on.extend(draft.depends_on);
        let Some(entities) = draft.entities else {
            return;
        };
        match self.lookups.iter_mut().find(|lookup| lookup.can_take(&entities)) {
            Some(lookup) => lookup.take(entities, draft.selection, drafts),
            None => self.lookups.push(Lookup {
                path: entities.path.clone(),
                entries: vec![(entities, draft.selection)],
            }),
        }
    }
}

impl Lookup {
    /// Whether `draft` is for the same place, and one representation of a type can serve both.
    fn can_take(&self, draft: &EntityDraft) -> bool {
        self.path == draft.path
            && self.entries.iter().all(|(entry, _)| {
                if entry.ty == draft.ty {
                    entry.template.agrees_with(&draft.template)
                } else {
                    !(entry.is_interface || draft.is_interface)
                }
            })
    }

    fn take(&mut self, draft: EntityDraft, selection: SelectionId, drafts: &mut Drafts) {
        match self.entries.iter_mut().find(|(entry, _)| entry.ty == draft.ty) {
            Some((entry, present)) => {
                entry.template.merge(draft.template);
                entry.mixed |= draft.mixed;
                drafts.merge(*present, selection);
            }
            None => self.entries.push((draft, selection)),
        }
    }
}
