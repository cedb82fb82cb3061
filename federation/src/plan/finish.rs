//! Makes a [`Plan`] of drafts: merges the fetches that can be one, puts them in order, writes their operations.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::{Name, name};

use crate::operation::OperationKind;
use crate::supergraph::Supergraph;

use super::document::{self, Client, Written};
use super::draft::{DraftStep, Drafts, EntityDraft, FetchDraft, FetchId, SelectionId};
use super::{
    Entities, Entry, FetchNode, FieldReader, Layout, Location, ObjectReader, Plan, PositionId,
    Representation, Step, ValueReader,
};

/// The member that answers representations.
const ENTITIES: Name = name!("_entities");

/// Fetches that become one: in which the first one's draft holds all selections.
struct Group {
    fetch: FetchDraft,
    level: usize,
    /// The merged fetch's entities, one entry for each type, with the selections under it.
    entries: Vec<(EntityDraft, SelectionId)>,
}

/// Makes the plan of `drafts`. `layout` has the client's keys already.
pub(super) fn finish(
    supergraph: &Supergraph,
    mut drafts: Drafts,
    client: &Client<'_>,
    layout: Layout,
) -> Plan {
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
    let mut nodes = Nodes { supergraph, drafts: &drafts, client, places: &places, layout };
    let mut fetches: Vec<FetchNode> =
        groups.iter().enumerate().map(|(index, group)| nodes.node(group, index)).collect();
    keep_apart(&mut fetches);
    Plan { fetches, layout: nodes.layout }
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
        && group.fetch.defer == draft.defer
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

/// What all nodes of a plan are made with.
struct Nodes<'a> {
    supergraph: &'a Supergraph,
    drafts: &'a Drafts,
    client: &'a Client<'a>,
    places: &'a BTreeMap<FetchId, usize>,
    layout: Layout,
}

impl Nodes<'_> {
    fn node(&mut self, group: &Group, index: usize) -> FetchNode {
        let fetch = &group.fetch;
        let subgraph = self.supergraph.subgraph_name(fetch.subgraph).clone();
        let is_root = fetch.entities.is_none() && fetch.at.is_empty();
        let kind = if is_root { self.client.kind } else { OperationKind::Query };
        let location = Location::new(&mut self.layout, &fetch.at);
        let mut entities = None;
        let (written, reader) = match &fetch.entities {
            None => {
                let selections = [fetch.selection];
                (
                    document::root(
                        self.drafts,
                        self.client,
                        kind,
                        fetch.selection,
                        &subgraph,
                        index,
                    ),
                    ObjectReader::new(
                        self.drafts,
                        &mut self.layout,
                        location.position,
                        &selections,
                    ),
                )
            }
            Some(draft) => {
                let entries: Vec<_> = group
                    .entries
                    .iter()
                    .map(|(entry, selection)| (&entry.ty, *selection))
                    .collect();
                let (reader, completed) = self.entities(draft, &group.entries);
                entities = Some(completed);
                let client = self.client;
                (document::entities(self.drafts, client, &entries, &subgraph, index), reader)
            }
        };
        let depends_on: BTreeSet<usize> =
            fetch.depends_on.iter().filter_map(|fetch| self.places.get(fetch).copied()).collect();
        FetchNode {
            subgraph,
            kind,
            head: head(&written),
            operation_name: written.operation_name,
            document: written.text.into(),
            variables: written.variables,
            depends_on: depends_on.into_iter().collect(),
            defer: fetch.defer,
            level: group.level,
            at: fetch.at.iter().map(step).collect(),
            location,
            reader,
            entities,
            selection: written.selection,
        }
    }

    /// The entities of a fetch, and how `data` with their list is read.
    fn entities(
        &mut self,
        draft: &EntityDraft,
        entries: &[(EntityDraft, SelectionId)],
    ) -> (ObjectReader, Entities) {
        let location = Location::new(&mut self.layout, &draft.path);
        let position = location.position;
        let selections: Vec<_> = entries.iter().map(|(_, selection)| *selection).collect();
        let object = ObjectReader::new(self.drafts, &mut self.layout, position, &selections);
        let data = self.layout.add_position();
        let (slot, _) = self.layout.child(data, &ENTITIES);
        let list = FieldReader::new(&ENTITIES, slot, ValueReader::Objects { lists: 1, object });
        let entries = entries
            .iter()
            .map(|(entry, _)| Entry {
                type_name: entry.ty.as_str().into(),
                mixed: entry.mixed,
                template: entry.template.clone(),
                opening: format!("{{\"__typename\":\"{}\"", entry.ty),
                type_id: self.layout.add_type(&entry.ty),
                representation: Representation::new(&mut self.layout, position, &entry.template),
            })
            .collect();
        let entities = Entities {
            path: draft.path.iter().map(step).collect(),
            location,
            entries,
            variable: self.client.representations().into(),
            member: ENTITIES.as_str().into(),
            slot,
            unshared: false,
        };
        (ObjectReader { position: data, fields: vec![list] }, entities)
    }
}

/// Finds the fetches whose entities' objects another fetch completes by the same entities.
fn keep_apart(fetches: &mut [FetchNode]) {
    let mut writers: BTreeMap<(PositionId, usize), usize> = BTreeMap::new();
    let written = |node: &FetchNode| -> Vec<(PositionId, usize)> {
        let lists = node.reader.fields.iter().filter(|_| node.entities.is_some());
        let objects = lists.filter_map(|list| match &list.value {
            ValueReader::Objects { object, .. } => Some(object),
            _ => None,
        });
        objects
            .flat_map(|object| object.object_slots().map(|slot| (object.position, slot)))
            .collect()
    };
    for node in &*fetches {
        for place in written(node) {
            *writers.entry(place).or_default() += 1;
        }
    }
    for node in fetches {
        let unshared =
            written(node).iter().any(|place| writers.get(place).is_some_and(|&count| count > 1));
        if let Some(entities) = &mut node.entities {
            entities.unshared = unshared;
        }
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
