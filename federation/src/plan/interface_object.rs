//! Plans selections where a subgraph has an interface as an object (`@interfaceObject`): it answers the interface's fields
//! but cannot say which implementation an object is. Only when the operation needs to know is another subgraph entered that
//! can tell.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::operation::SelectionSet;
use crate::supergraph::SubgraphId;

use super::planner::{PlanError, Planner, is_meta};
use super::spot::Spot;

impl<'a> Planner<'a> {
    /// Plans `set` on objects whose types the spot's subgraph cannot tell.
    pub(super) fn opaque(
        &mut self,
        spot: &mut Spot<'a>,
        set: &SelectionSet,
    ) -> Result<SelectionSet, PlanError> {
        let wanted = set.fields.iter().filter(|field| !is_meta(field)).cloned().collect();
        let mut remainder = SelectionSet::new(set.ty.clone());
        remainder.fields = self.object(spot, wanted)?;
        remainder.fields.extend(set.fields.iter().filter(|field| is_meta(field)).cloned());
        remainder.fragments.clone_from(&set.fragments);
        if remainder.is_empty() {
            return Ok(remainder);
        }
        for target in self.tellers(spot) {
            let Some(index) = self.enter(spot, target, &BTreeSet::new(), None)? else {
                continue;
            };
            let origin = spot.origins[index].clone();
            self.drafts.need_typename(origin.selection);
            let mut told = Spot {
                is_root: false,
                path: spot.path.clone(),
                ty: spot.ty.clone(),
                possible: self.supergraph.possible_types_in(target, &spot.ty),
                is_opaque: false,
                names: spot.names,
                origins: vec![origin],
                beside: Vec::new(),
                closed: 0,
            };
            return self.abstract_type(&mut told, &remainder);
        }
        Ok(remainder)
    }

    /// The subgraphs that can tell the types of the spot's objects, best first.
    fn tellers(&self, spot: &Spot<'a>) -> Vec<SubgraphId> {
        let Some(info) = self.supergraph.type_info(&spot.ty) else {
            return Vec::new();
        };
        let mut tellers: Vec<SubgraphId> = info
            .subgraphs
            .iter()
            .copied()
            .filter(|subgraph| !info.object_in.contains(subgraph))
            .filter(|subgraph| info.keys.iter().any(|key| key.subgraph == *subgraph))
            .collect();
        tellers.sort_by_key(|&subgraph| {
            let is_entered =
                spot.origins.iter().any(|origin| origin.is_entry && origin.subgraph == subgraph);
            let types = self.supergraph.possible_types_in(subgraph, &spot.ty).len();
            (Reverse(types), !is_entered, subgraph)
        });
        tellers
    }
}
