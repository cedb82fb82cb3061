//! How drafts are written: what several object types share is written once where the subgraph has an interface for it, and else once
//! for each type, as far as a named fragment does not spare that ([`parts`](super::parts)). Long before a text becomes too long, that
//! is known.

use apollo_compiler::Name;
use apollo_compiler::collections::IndexMap;

use crate::supergraph::{SubgraphId, Supergraph};

use super::draft::{Drafts, FieldDraft, SelectionId};

/// How many fields are compared for one decision.
const MOST_COMPARISONS: usize = 1000;

impl Drafts {
    /// An interface under which `id` can be selected for objects of `types`, of all the fragments `all` at one place. What shares
    /// a response key with another of them must be the same there, which it need not be between two object types.
    pub(super) fn common_interface<'a>(
        &self,
        supergraph: &'a Supergraph,
        subgraph: SubgraphId,
        types: &[Name],
        id: SelectionId,
        all: &[(&[Name], SelectionId)],
    ) -> Option<&'a Name> {
        if types.len() < 2 {
            return None;
        }
        let fields = self.selection(id).fields.values();
        let fields = fields.map(|field| (&field.name, field.arguments.as_slice()));
        let interface = supergraph.common_interface(subgraph, types, fields)?;
        let mut others = all.iter().filter(|(_, other)| *other != id);
        let mut left = MOST_COMPARISONS;
        others.all(|(_, other)| self.can_merge(id, *other, &mut left)).then_some(interface)
    }

    /// Whether nothing is selected but some of the leaves `known`.
    pub(super) fn has_only(&self, id: SelectionId, known: &[&Name]) -> bool {
        let selection = self.selection(id);
        !known.is_empty()
            && !selection.typename
            && selection.fields.iter().all(|(key, field)| known.contains(&key) && field.is_plain())
            && selection.fragments.values().all(|&fragment| self.is_bare(fragment))
    }

    /// Whether two selections can stand on the same objects: under each response key that both have is the same field. It is
    /// not found out where that takes more than the comparisons that are left.
    fn can_merge(&self, one: SelectionId, two: SelectionId, left: &mut usize) -> bool {
        let (mut ours, mut theirs) = (IndexMap::default(), IndexMap::default());
        self.all_fields(one, &mut ours);
        self.all_fields(two, &mut theirs);
        ours.iter().all(|(key, ours)| {
            let theirs = theirs.get(key).map(Vec::as_slice).unwrap_or_default();
            let mut pairs = ours.iter().flat_map(|one| theirs.iter().map(move |two| (one, two)));
            pairs.all(|(one, two)| {
                *left = left.saturating_sub(1);
                *left > 0
                    && one.name == two.name
                    && one.arguments == two.arguments
                    && one.directives == two.directives
                    && one.around == two.around
                    && match (one.selection, two.selection) {
                        (Some(one), Some(two)) => self.can_merge(one, two, left),
                        _ => true,
                    }
            })
        })
    }

    /// The fields of a selection by response key, with those for certain types.
    fn all_fields<'a>(
        &'a self,
        id: SelectionId,
        fields: &mut IndexMap<&'a Name, Vec<&'a FieldDraft>>,
    ) {
        let selection = self.selection(id);
        for (key, field) in &selection.fields {
            fields.entry(key).or_default().push(field);
        }
        for &fragment in selection.fragments.values() {
            self.all_fields(fragment, fields);
        }
    }

    /// Whether the fetches have more than so many fields in all, as they are written.
    pub(super) fn are_longer_than(&self, supergraph: &Supergraph, most: usize) -> bool {
        let mut total: usize = 0;
        self.fetches.iter().any(|fetch| {
            let length = Length { drafts: self, supergraph, subgraph: fetch.subgraph };
            let selection = fetch.selection;
            let copies = match &fetch.entities {
                Some(entities) => length.times(&entities.types, selection, &[]),
                None => 1,
            };
            total = total.saturating_add(length.of(selection, copies));
            total > most
        })
    }
}

/// Counts fields as they are written.
struct Length<'a> {
    drafts: &'a Drafts,
    supergraph: &'a Supergraph,
    subgraph: SubgraphId,
}

impl Length<'_> {
    /// The fields of so many copies of a selection.
    fn of(&self, id: SelectionId, copies: usize) -> usize {
        let selection = self.drafts.selection(id);
        let mut length = selection.fields.len().saturating_mul(copies);
        for inner in selection.fields.values().filter_map(|field| field.selection) {
            let has_name = self.drafts.is_worth_a_name(inner, copies);
            length = length.saturating_add(self.of(inner, if has_name { 1 } else { copies }));
        }
        let fragments = selection.fragments.iter().map(|(types, &id)| (types.as_slice(), id));
        let fragments: Vec<_> = fragments.filter(|(_, id)| !self.drafts.is_bare(*id)).collect();
        for &(types, id) in &fragments {
            let times = self.times(types, id, &fragments);
            length = length.saturating_add(self.of(id, copies.saturating_mul(times)));
        }
        length
    }

    /// How often a selection for objects of `types` is written.
    fn times(&self, types: &[Name], id: SelectionId, all: &[(&[Name], SelectionId)]) -> usize {
        let (drafts, supergraph) = (self.drafts, self.supergraph);
        match drafts.common_interface(supergraph, self.subgraph, types, id, all) {
            Some(_) => 1,
            None => types.len(),
        }
    }
}
