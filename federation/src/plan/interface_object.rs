//! Plans selections where a subgraph has an interface as an object (`@interfaceObject`): it answers the interface's fields
//! but cannot say which implementation an object is. Only when the operation needs to know is another subgraph entered that
//! can tell. Such an object may also stand where another interface is, which it implements there: then the subgraph answers
//! the name of the interface as the object's type.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use apollo_compiler::Name;

use crate::operation::{SelectionSet, merge_fields};
use crate::supergraph::SubgraphId;

use super::planner::{PlanError, Planner, is_meta};
use super::spot::{Origin, Spot};

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
                stand_ins: self.supergraph.stand_ins(target, &spot.ty),
                names: spot.names,
                origins: vec![origin],
                beside: Vec::new(),
                closed: 0,
            };
            return self.abstract_type(&mut told, &remainder);
        }
        Ok(remainder)
    }

    /// Plans what `set` selects on the objects of `spot` for which its subgraph answers `stand_in`, an interface that it has as an
    /// object, and returns what could not be planned.
    pub(super) fn stand_in(
        &mut self,
        spot: &Spot<'a>,
        origin: &Origin<'a>,
        stand_in: &Name,
        set: &SelectionSet,
    ) -> Result<SelectionSet, PlanError> {
        let set = self.seen_as(stand_in, set);
        let possible = self.supergraph.possible_types(stand_in);
        let selection = self.drafts.fragment(origin.selection, std::slice::from_ref(stand_in));
        // Who is asked for their types may have told them when the objects are looked for.
        let types = std::iter::once(stand_in).chain(&possible).cloned().collect();
        let origin = Origin { selection, ..origin.clone() };
        let mut inner = spot.narrowed(stand_in, types, origin);
        inner.possible = possible;
        inner.is_opaque = true;
        self.opaque(&mut inner, &set)
    }

    /// What `set` selects on objects of the interface `ty`: what all of them are selected as, and the rest by their types.
    fn seen_as(&self, ty: &Name, set: &SelectionSet) -> SelectionSet {
        let possible = self.supergraph.possible_types(ty);
        let mut fields = Vec::new();
        let mut seen = SelectionSet::new(ty.clone());
        let mut open = vec![set];
        while let Some(set) = open.pop() {
            fields.extend(set.fields.iter().cloned());
            for fragment in &set.fragments {
                let types = self.supergraph.possible_types(&fragment.ty);
                if possible.iter().all(|ty| types.contains(ty)) {
                    open.push(fragment);
                } else if possible.iter().any(|ty| types.contains(ty)) {
                    seen.fragments.push(fragment.clone());
                }
            }
        }
        seen.fields = merge_fields(fields);
        seen
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
