//! Makes the nodes of a [`Plan`]: writes their operations, and lays out where their answers go.

use std::collections::BTreeMap;

use apollo_compiler::collections::IndexMap;
use apollo_compiler::{Name, name};

use crate::operation::OperationKind;
use crate::supergraph::Supergraph;

use super::document::{self, Client, Lists, Target, Written};
use super::draft::Drafts;
use super::finish::{Group, Lookup};
use super::{
    ContextSource, Entities, Entry, EntryType, FetchNode, FieldReader, Layout, Location,
    ObjectReader, Plan, PositionId, Representation, Template, ValueReader,
};

/// What all nodes of a plan are made with.
struct Nodes<'a> {
    supergraph: &'a Supergraph,
    drafts: &'a Drafts,
    client: &'a Client<'a>,
    places: &'a [usize],
    layout: Layout,
}

/// Makes the plan of groups that are in order.
pub(super) fn plan(
    supergraph: &Supergraph,
    drafts: &Drafts,
    client: &Client<'_>,
    groups: &[Group],
    places: &[usize],
    layout: Layout,
) -> Plan {
    let mut nodes = Nodes { supergraph, drafts, client, places, layout };
    let mut fetches: Vec<FetchNode> =
        groups.iter().enumerate().map(|(index, group)| nodes.node(group, index)).collect();
    keep_apart(&mut fetches);
    Plan { fetches, layout: nodes.layout }
}

impl Nodes<'_> {
    fn node(&mut self, group: &Group, index: usize) -> FetchNode {
        let fetch = &group.fetch;
        let (drafts, client) = (self.drafts, self.client);
        let subgraph = self.supergraph.subgraph_name(fetch.subgraph).clone();
        let target = Target { client, supergraph: self.supergraph, id: fetch.subgraph, index };
        let is_root = fetch.entities.is_none() && fetch.at.is_empty();
        let kind = if is_root { client.kind } else { OperationKind::Query };
        let location = Location::new(&mut self.layout, &fetch.at);
        let (written, reader, entities) = if group.lookups.is_empty() {
            let position = location.position;
            let reader = ObjectReader::new(drafts, &mut self.layout, position, &[fetch.selection]);
            let written = document::root(drafts, &target, kind, fetch.selection);
            (written, reader, Vec::new())
        } else {
            let lookups: Vec<_> = (0..)
                .zip(&group.lookups)
                .map(|(number, lookup)| Lists {
                    member: member(number),
                    variable: client.representations(number),
                    entries: lookup
                        .entries
                        .iter()
                        .map(|(entry, id)| (entry.types.as_slice(), *id))
                        .collect(),
                })
                .collect();
            let position = self.layout.add_position();
            let mut fields = Vec::with_capacity(lookups.len());
            let mut entities = Vec::with_capacity(lookups.len());
            for (lookup, lists) in group.lookups.iter().zip(&lookups) {
                let (field, completed) = self.entities(position, lookup, lists);
                fields.push(field);
                entities.push(completed);
            }
            let mut written = document::entities(drafts, &target, &lookups, &fetch.contexts);
            for (entities, selection) in entities.iter_mut().zip(written.lists.drain(..)) {
                entities.selection = selection;
            }
            (written, ObjectReader { position, fields }, entities)
        };
        let mut depends_on: Vec<usize> =
            fetch.depends_on.iter().map(|&fetch| self.places[fetch]).collect();
        depends_on.sort_unstable();
        depends_on.dedup();
        FetchNode {
            subgraph,
            kind,
            head: head(&written),
            operation_name: written.operation_name,
            document: written.text.into(),
            variables: written.variables,
            depends_on,
            defer: fetch.defer,
            level: group.level,
            at: fetch.at.clone(),
            location,
            reader,
            entities,
            contexts: fetch
                .contexts
                .iter()
                .map(|context| ContextSource::new(self.supergraph, &mut self.layout, context))
                .collect(),
            selection: written.selection,
            parts: written.parts,
        }
    }

    /// The entities of a place, and how the member of `data` that lists them is read.
    fn entities(
        &mut self,
        data: PositionId,
        lookup: &Lookup,
        lists: &Lists<'_>,
    ) -> (FieldReader, Entities) {
        let location = Location::new(&mut self.layout, &lookup.path);
        let position = location.position;
        let selections: Vec<_> = lookup.entries.iter().map(|(_, selection)| *selection).collect();
        let object = ObjectReader::new(self.drafts, &mut self.layout, position, &selections);
        let (slot, _) = self.layout.child(data, &lists.member);
        let list = FieldReader::new(&lists.member, slot, ValueReader::Objects { lists: 1, object });
        let entries = self.entries(position, lookup);
        let entities = Entities {
            path: lookup.path.clone(),
            location,
            entries,
            variable: lists.variable.as_str().into(),
            member: lists.member.as_str().into(),
            slot,
            selection: Vec::new(),
            unshared: false,
        };
        (list, entities)
    }

    /// How the entities of a place are represented. A type for which several ask is represented for all of them.
    fn entries(&mut self, position: PositionId, lookup: &Lookup) -> Vec<Entry> {
        let mut numbers: IndexMap<&Name, Vec<usize>> = IndexMap::default();
        for (number, (entry, _)) in lookup.entries.iter().enumerate() {
            for ty in &entry.types {
                numbers.entry(ty).or_default().push(number);
            }
        }
        let mut alike: IndexMap<Vec<usize>, Vec<&Name>> = IndexMap::default();
        for (ty, numbers) in numbers {
            alike.entry(numbers).or_default().push(ty);
        }
        let mut entries = Vec::with_capacity(alike.len());
        for (numbers, types) in alike {
            let (mut mixed, mut template) = (false, Template::default());
            for (entry, _) in numbers.iter().filter_map(|&number| lookup.entries.get(number)) {
                mixed |= entry.mixed;
                template.merge(entry.template.clone());
            }
            let types = types.into_iter().map(|ty| EntryType {
                name: ty.clone(),
                id: self.layout.add_type(ty),
                opening: format!("{{\"__typename\":\"{ty}\""),
            });
            let types = types.collect();
            let representation = Representation::new(&mut self.layout, position, &template);
            entries.push(Entry { types, mixed, template, representation });
        }
        entries
    }
}

/// The member of `data` that lists the entities of a request's first, second, … place.
fn member(number: usize) -> Name {
    match number {
        0 => name!("_entities"),
        number => Name::new_unchecked(&format!("_entities_{number}")),
    }
}

/// Finds the fetches whose entities' objects another fetch completes by the same entities, or by what stands above them.
fn keep_apart(fetches: &mut [FetchNode]) {
    let mut writers: BTreeMap<(PositionId, usize), usize> = BTreeMap::new();
    let objects = |node: &FetchNode, index: usize| -> Vec<(PositionId, usize)> {
        let Some(ValueReader::Objects { object, .. }) =
            node.reader.fields.get(index).map(|field| &field.value)
        else {
            return Vec::new();
        };
        object.object_slots().map(|slot| (object.position, slot)).collect()
    };
    for node in &*fetches {
        for index in 0..node.entities.len() {
            for place in objects(node, index) {
                *writers.entry(place).or_default() += 1;
            }
        }
    }
    let has_contexts = fetches.iter().any(|node| !node.contexts.is_empty());
    for node in fetches {
        for index in 0..node.entities.len() {
            let is_written_twice = |place| writers.get(place).is_some_and(|&count| count > 1);
            node.entities[index].unshared =
                has_contexts || objects(node, index).iter().any(is_written_twice);
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
