//! Which subgraphs can be entered at a spot, and by how many hops: a search in breadth over keys, so that the planner need
//! not try them all.

use crate::supergraph::{FieldSet, Key, SubgraphId};

use super::planner::{Access, Planner};
use super::spot::Spot;

/// How `target` is reached from a spot.
pub(super) struct Reach<'a> {
    /// How many other subgraphs come before it.
    pub(super) hops: usize,
    /// The key that it is entered by.
    pub(super) key: &'a Key,
}

impl<'a> Planner<'a> {
    /// The shortest way from the spot's origins to `target`, by keys whose fields subgraphs on the way resolve. None where
    /// there is none, and also where more than that is needed: required fields, or nested fields from elsewhere.
    pub(super) fn reach(&self, spot: &Spot<'a>, target: SubgraphId) -> Option<Reach<'a>> {
        let mut reached: Vec<SubgraphId> = Vec::new();
        let mut others: Vec<SubgraphId> = match self.supergraph.type_info(&spot.ty) {
            Some(info) => info.subgraphs.iter().copied().filter(|other| *other != target).collect(),
            None => Vec::new(),
        };
        for hops in 0..=others.len() {
            let satisfied = |key: &&'a Key| self.is_had(spot, &reached, &key.fields);
            if let Some(key) = self.keys(spot, target).into_iter().find(satisfied) {
                return Some(Reach { hops, key });
            }
            let (next, rest): (Vec<SubgraphId>, Vec<SubgraphId>) =
                others.into_iter().partition(|other| self.keys(spot, *other).iter().any(satisfied));
            if next.is_empty() {
                return None;
            }
            reached.extend(next);
            others = rest;
        }
        None
    }

    /// Whether each field of `set` is wholly resolved by the spot's origins or by one of `reached`.
    fn is_had(&self, spot: &Spot<'a>, reached: &[SubgraphId], set: &FieldSet) -> bool {
        let is_local = |subgraph, field: &str| {
            matches!(self.access_at(spot, subgraph, field, &[]), Access::Local(..))
        };
        self.is_at_hand(spot, set)
            || set.fragments.is_empty()
                && set.fields.iter().all(|field| {
                    let one = FieldSet {
                        ty: set.ty.clone(),
                        fields: vec![field.clone()],
                        fragments: Vec::new(),
                    };
                    self.is_at_hand(spot, &one)
                        || reached.iter().any(|subgraph| {
                            is_local(*subgraph, &field.name)
                                && field
                                    .selections
                                    .as_ref()
                                    .is_none_or(|set| self.is_resolved_by(*subgraph, set))
                        })
                })
    }
}
