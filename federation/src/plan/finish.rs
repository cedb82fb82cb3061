//! Makes a [`Plan`] of drafts: merges the fetches that can be one, puts them in order, writes their operations.

use std::collections::{BTreeMap, BTreeSet};

use crate::operation::OperationKind;
use crate::supergraph::Supergraph;

use super::document::{self, Client, Written};
use super::draft::{DraftStep, Drafts, EntityDraft, FetchDraft, FetchId};
use super::{Entities, Entry, FetchNode, Plan, Step};

/// Fetches that become one: in which the first one's draft holds all selections.
struct Group {
    fetch: FetchDraft,
    level: usize,
    /// The merged fetch's entities, one entry for each type, with the selections under it.
    entries: Vec<(EntityDraft, super::draft::SelectionId)>,
}

pub(super) fn finish(supergraph: &Supergraph, mut drafts: Drafts, client: &Client<'_>) -> Plan {
    let levels = levels(&drafts);
    let mut order: Vec<FetchId> = (0..drafts.fetches.len()).collect();
    order.sort_by_key(|&fetch| (levels[fetch], fetch));
    let mut groups: Vec<Group> = Vec::new();
    let mut places: BTreeMap<FetchId, usize> = BTreeMap::new();
    for fetch in order {
        let draft = drafts.fetches[fetch].clone();
        let place =
            groups.iter().position(|group| group.level == levels[fetch] && can_join(group, &draft));
        let place = match place {
            Some(place) => {
                join(&mut groups[place], draft, &mut drafts);
                place
            }
            None => {
                let entries = draft.entities.clone().map(|entities| (entities, draft.selection));
                groups.push(Group {
                    entries: entries.into_iter().collect(),
                    fetch: draft,
                    level: levels[fetch],
                });
                groups.len() - 1
            }
        };
        places.insert(fetch, place);
    }
    let fetches = groups
        .iter()
        .enumerate()
        .map(|(index, group)| node(supergraph, &drafts, client, group, index, &places))
        .collect();
    Plan { fetches }
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
            .all(|(entry, _)| entry.ty != theirs.ty || entry.template.agrees_with(&theirs.template))
}

fn join(group: &mut Group, draft: FetchDraft, drafts: &mut Drafts) {
    group.fetch.depends_on.extend(draft.depends_on);
    let Some(entities) = draft.entities else {
        return;
    };
    match group.entries.iter_mut().find(|(entry, _)| entry.ty == entities.ty) {
        Some((entry, selection)) => {
            entry.template.merge(entities.template);
            entry.mixed |= entities.mixed;
            drafts.merge(*selection, draft.selection);
        }
        None => group.entries.push((entities, draft.selection)),
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
                group.entries.iter().map(|(entry, selection)| (&entry.ty, *selection)).collect();
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
                .map(|(entry, _)| Entry {
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
