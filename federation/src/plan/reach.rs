//! Which subgraphs can be entered at a spot, and by which keys in which order: a search in breadth that meets every subgraph
//! once, so that the planner need not try them all.

use crate::supergraph::{FieldSetField, Key, SubgraphId};

use super::planner::Planner;
use super::spot::Spot;

/// How a subgraph is reached from a spot.
pub(super) enum Reach<'a> {
    /// By entering these one after the other; the last is the subgraph itself.
    By(Vec<Entry<'a>>),
    /// Not at all.
    Not,
    /// Not by what can be seen at once: a key has fields that must be given others, or whose own fields are in several
    /// subgraphs.
    Unclear,
}

/// A subgraph and the key that it is entered by.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) subgraph: SubgraphId,
    pub(super) key: &'a Key,
}

/// A key while the search goes on.
struct Candidate<'a> {
    entry: Entry<'a>,
    /// Where each of its fields is found.
    fields: Vec<Found>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nowhere,
    /// In a subgraph that is there already.
    Here,
    /// In the one that was reached as this number.
    At(usize),
}

impl<'a> Planner<'a> {
    /// The shortest way from the spot's origins to `target`, by keys whose fields subgraphs on the way resolve.
    pub(super) fn reach(&self, spot: &Spot<'a>, target: SubgraphId) -> Reach<'a> {
        let at_hand = |key: &&&'a Key| self.is_at_hand(spot, &key.fields);
        if let Some(key) = self.keys(spot, target).iter().find(at_hand) {
            return Reach::By(vec![Entry { subgraph: target, key }]);
        }
        let mut open = self.key_candidates(spot);
        // The subgraphs reached so far, with the numbers of those that their keys' fields come from.
        let mut reached: Vec<(Entry<'a>, Vec<usize>)> = Vec::new();
        loop {
            let known = reached.len();
            let (next, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(Candidate::is_had);
            for candidate in next {
                let entry = candidate.entry;
                if reached.iter().all(|(other, _)| other.subgraph != entry.subgraph) {
                    reached.push((entry, candidate.sources()));
                }
            }
            open = rest;
            if let Some(last) = reached.iter().position(|(entry, _)| entry.subgraph == target) {
                return Reach::By(way(&reached, last));
            }
            if reached.len() == known {
                return self.without_way(spot, &open);
            }
            for number in known..reached.len() {
                for candidate in &mut open {
                    self.find_in(spot, reached[number].0.subgraph, number, candidate);
                }
            }
        }
    }

    /// The keys by which subgraphs can be entered at the spot, with what is at hand of each.
    fn key_candidates(&self, spot: &Spot<'a>) -> Vec<Candidate<'a>> {
        let found = |field| match self.is_field_at_hand(spot, field) {
            true => Found::Here,
            false => Found::Nowhere,
        };
        self.all_keys(spot)
            .map(|key| Candidate {
                entry: Entry { subgraph: key.subgraph, key },
                fields: key.fields.fields.iter().map(found).collect(),
            })
            .collect()
    }

    /// Notes which fields of a key the subgraph resolves wholly that was reached as `number`.
    fn find_in(
        &self,
        spot: &Spot<'a>,
        subgraph: SubgraphId,
        number: usize,
        candidate: &mut Candidate<'a>,
    ) {
        let fields = candidate.entry.key.fields.fields.iter().zip(&mut candidate.fields);
        for (field, found) in fields.filter(|(_, found)| **found == Found::Nowhere) {
            if self.is_wholly_in(spot, subgraph, field, &[]) {
                *found = Found::At(number);
            }
        }
    }

    /// What it means that no more can be reached while the keys of `open` are not had.
    fn without_way(&self, spot: &Spot<'a>, open: &[Candidate<'a>]) -> Reach<'a> {
        let info = self.supergraph.type_info(&spot.ty);
        let is_plain = |field: &FieldSetField| {
            let info = info.and_then(|info| info.fields.get(&field.name));
            let sources = info.map(|info| info.sources.as_slice()).unwrap_or_default();
            field.selections.is_none()
                && sources.iter().all(|of| of.requires.is_none() && of.contexts.is_empty())
        };
        let is_clear = |candidate: &Candidate<'a>| {
            let set = &candidate.entry.key.fields;
            let missing = set.fields.iter().zip(&candidate.fields);
            let mut missing = missing.filter(|(_, found)| **found == Found::Nowhere);
            set.fragments.is_empty() && missing.all(|(field, _)| is_plain(field))
        };
        if open.iter().all(is_clear) { Reach::Not } else { Reach::Unclear }
    }
}

impl Candidate<'_> {
    fn is_had(&self) -> bool {
        self.entry.key.fields.fragments.is_empty() && !self.fields.contains(&Found::Nowhere)
    }

    /// The numbers of the subgraphs that its fields come from.
    fn sources(&self) -> Vec<usize> {
        let number = |found: &Found| match found {
            Found::At(number) => Some(*number),
            Found::Here | Found::Nowhere => None,
        };
        self.fields.iter().filter_map(number).collect()
    }
}

/// What leads to the one of `reached` that is the last, in order.
fn way<'a>(reached: &[(Entry<'a>, Vec<usize>)], last: usize) -> Vec<Entry<'a>> {
    let mut needed = vec![false; last + 1];
    needed[last] = true;
    for number in (0..=last).rev() {
        if needed[number] {
            for &source in &reached[number].1 {
                needed[source] = true;
            }
        }
    }
    let entries = reached.iter().zip(needed);
    entries.filter(|(_, needed)| *needed).map(|((entry, _), _)| *entry).collect()
}
