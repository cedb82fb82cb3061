//! Makes a [`Plan`] of drafts: merges the fetches that can be one, puts them in order, writes their operations.

use std::collections::{BTreeMap, BTreeSet};

use crate::operation::OperationKind;
use crate::supergraph::Supergraph;

use super::document::{self, Client, Written};
use super::draft::{DraftStep, Drafts, EntityDraft, FetchDraft, FetchId, SelectionId};
use super::{Entities, Entry, FetchNode, Plan, Step};

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

pub(super) fn cost(drafts: &Drafts) -> Cost {
    let (groups, _) = grouped(drafts);
    Cost {
        rounds: groups.iter().map(|group| group.level + 1).max().unwrap_or_default(),
        fetches: groups.len(),
        fields: drafts.field_count(),
    }
}

/// Fetches that become one.
struct Group {
    /// The first of them.
    fetch: FetchDraft,
    level: usize,
    /// The merged fetch's entities, one entry for each type.
    entries: Vec<GroupEntry>,
}

struct GroupEntry {
    entities: EntityDraft,
    selection: SelectionId,
    /// What is to be added to the selection.
    more: Vec<SelectionId>,
}

pub(super) fn finish(supergraph: &Supergraph, mut drafts: Drafts, client: &Client<'_>) -> Plan {
    let (groups, places) = grouped(&drafts);
    for entry in groups.iter().flat_map(|group| &group.entries) {
        for more in &entry.more {
            drafts.merge(entry.selection, *more);
        }
    }
    let fetches = groups
        .iter()
        .enumerate()
        .map(|(index, group)| node(supergraph, &drafts, client, group, index, &places))
        .collect();
    Plan { fetches }
}

/// The groups in an order in which none needs a later one, and the place of each draft among them.
fn grouped(drafts: &Drafts) -> (Vec<Group>, BTreeMap<FetchId, usize>) {
    let levels = levels(drafts);
    let mut order: Vec<FetchId> =
        (0..drafts.fetches.len()).filter(|fetch| !drafts.fetches[*fetch].is_hub()).collect();
    order.sort_by_key(|&fetch| (levels[fetch], fetch));
    let mut groups: Vec<Group> = Vec::new();
    let mut places: BTreeMap<FetchId, usize> = BTreeMap::new();
    for fetch in order {
        let draft = &drafts.fetches[fetch];
        let place =
            groups.iter().position(|group| group.level == levels[fetch] && can_join(group, draft));
        let place = place.unwrap_or_else(|| {
            let fetch_draft = FetchDraft { depends_on: BTreeSet::new(), ..draft.clone() };
            groups.push(Group { fetch: fetch_draft, level: levels[fetch], entries: Vec::new() });
            groups.len() - 1
        });
        join(drafts, &mut groups[place], draft);
        places.insert(fetch, place);
    }
    (groups, places)
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

/// Whether `draft` asks the same subgraph for entities at the same place, and one representation of a type can serve both.
fn can_join(group: &Group, draft: &FetchDraft) -> bool {
    let (Some(mine), Some(theirs)) = (&group.fetch.entities, &draft.entities) else {
        return false;
    };
    group.fetch.subgraph == draft.subgraph
        && mine.path == theirs.path
        && (mine.ty == theirs.ty || !(mine.is_interface || theirs.is_interface))
        && group
            .entries
            .iter()
            .map(|entry| &entry.entities)
            .all(|mine| mine.ty != theirs.ty || mine.template.agrees_with(&theirs.template))
}

fn join(drafts: &Drafts, group: &mut Group, draft: &FetchDraft) {
    group.fetch.depends_on.extend(drafts.dependencies(draft));
    let Some(entities) = &draft.entities else {
        return;
    };
    match group.entries.iter_mut().find(|entry| entry.entities.ty == entities.ty) {
        Some(entry) => {
            entry.entities.template.merge(entities.template.clone());
            entry.entities.mixed |= entities.mixed;
            entry.more.push(draft.selection);
        }
        None => group.entries.push(GroupEntry {
            entities: entities.clone(),
            selection: draft.selection,
            more: Vec::new(),
        }),
    }
}

fn node(
    supergraph: &Supergraph,
    drafts: &Drafts,
    client: &Client<'_>,
    group: &Group,
    index: usize,
    places: &BTreeMap<FetchId, usize>,
) -> FetchNode {
    let subgraph = supergraph.subgraph_name(group.fetch.subgraph).clone();
    let is_root = group.fetch.entities.is_none() && group.fetch.at.is_empty();
    let kind = if is_root { client.kind } else { OperationKind::Query };
    let written = match &group.fetch.entities {
        None => document::root(drafts, client, kind, group.fetch.selection, &subgraph, index),
        Some(_) => {
            let entries: Vec<_> =
                group.entries.iter().map(|entry| (&entry.entities.ty, entry.selection)).collect();
            document::entities(drafts, client, &entries, &subgraph, index)
        }
    };
    let depends_on: BTreeSet<usize> =
        group.fetch.depends_on.iter().filter_map(|fetch| places.get(fetch).copied()).collect();
    FetchNode {
        subgraph,
        kind,
        head: head(&written),
        operation_name: written.operation_name,
        document: written.text.into(),
        variables: written.variables,
        depends_on: depends_on.into_iter().collect(),
        level: group.level,
        at: group.fetch.at.iter().map(step).collect(),
        entities: group.fetch.entities.as_ref().map(|entities| Entities {
            path: entities.path.iter().map(step).collect(),
            entries: group
                .entries
                .iter()
                .map(|GroupEntry { entities: entry, .. }| Entry {
                    type_name: entry.ty.as_str().into(),
                    mixed: entry.mixed,
                    template: entry.template.clone(),
                })
                .collect(),
            variable: client.representations().into(),
        }),
        selection: written.selection,
    }
}

/// The JSON of the request that is the same each time.
fn head(written: &Written) -> String {
    let name = match &written.operation_name {
        Some(name) => format!(",\"operationName\":{}", quoted(name)),
        None => String::new(),
    };
    format!("{{\"query\":{}{name},\"variables\":", quoted(&written.text))
}

/// A text as JSON.
fn quoted(text: &str) -> serde_json::Value {
    serde_json::Value::from(text)
}

fn step(step: &DraftStep) -> Step {
    match step {
        DraftStep::Key(key) => Step::Key(key.as_str().into()),
        DraftStep::Each => Step::Each,
        DraftStep::Type(types) => Step::Type(types.iter().map(|ty| ty.as_str().into()).collect()),
    }
}
