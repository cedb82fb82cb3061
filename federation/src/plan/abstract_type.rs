//! Plans selections on interfaces and unions: on the type itself where its subgraph can, else by object type. Only what must
//! be is taken apart, so that plans do not grow with the number of types.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::collections::IndexMap;

use crate::operation::{Field, SelectionSet, merge_fields};
use crate::supergraph::{SubgraphId, TypeKind};

use super::bundle::{self, Bundle};
use super::planner::{Access, PlanError, Planner, is_meta};
use super::spot::{Origin, Spot};

/// How often a part of an operation may be planned anew, for types that differ, before it is planned frugally.
const MOST_COPIES: usize = 256;

impl<'a> Planner<'a> {
    /// Plans selections on an interface or union: on the type itself where its subgraph can, else by object type.
    pub(super) fn abstract_type(
        &mut self,
        spot: &mut Spot<'a>,
        set: &SelectionSet,
    ) -> Result<SelectionSet, PlanError> {
        if spot.is_opaque {
            return self.opaque(spot, set);
        }
        let Some(origin) = spot.origins.first().cloned() else {
            return Ok(set.clone());
        };
        self.drafts.need_typename(origin.selection);
        let mut remainder = SelectionSet::new(set.ty.clone());
        let mut by_type: IndexMap<Name, Vec<Arc<Field>>> = IndexMap::default();
        let (mut pending, mut of_interface) = (Vec::new(), Vec::new());
        for field in set.fields.iter().filter(|field| !is_meta(field)) {
            if !self.is_later(field) && self.is_local_for_all(spot, &origin, field) {
                pending.extend(self.place(spot, 0, field)?);
            } else if self.is_of_interface_object(&spot.ty, field) {
                of_interface.push(field.clone());
            } else {
                pending.push(field.clone());
            }
        }
        if !of_interface.is_empty() {
            pending.extend(self.object(spot, of_interface)?);
        }
        for stand_in in spot.stand_ins.clone() {
            let here = SelectionSet {
                fields: pending
                    .iter()
                    .chain(set.fields.iter().filter(|field| is_meta(field)))
                    .cloned()
                    .collect(),
                ..set.clone()
            };
            let rest = self.stand_in(spot, &origin, &stand_in, &here)?;
            if !rest.is_empty() {
                remainder.fragments.push(rest);
            }
        }
        if spot.possible.is_empty() {
            if spot.stand_ins.is_empty() {
                // No object can stand here that has them.
                remainder.fields = pending;
            }
            return Ok(remainder);
        }
        for field in &pending {
            for ty in &spot.possible {
                by_type.entry(ty.clone()).or_default().push(field.clone());
            }
        }
        for fragment in &set.fragments {
            let types = self.supergraph.possible_types(&fragment.ty);
            let here: Vec<Name> =
                spot.possible.iter().filter(|ty| types.contains(ty)).cloned().collect();
            let mut rest = None;
            if spot.stand_ins.is_empty()
                && self.is_known_as(origin.subgraph, &fragment.ty, spot, &here)
            {
                let selection =
                    self.drafts.fragment(origin.selection, std::slice::from_ref(&fragment.ty));
                let origin = Origin { selection, ..origin.clone() };
                let mut inner = spot.narrowed(&fragment.ty, here.clone(), origin);
                rest = Some(self.abstract_type(&mut inner, fragment)?);
            }
            let rest = rest.as_ref().unwrap_or(fragment);
            for ty in here {
                let fields = self.collect(rest, &ty);
                by_type.entry(ty).or_default().extend(fields);
            }
        }
        let mut hubs = match self.is_frugal {
            true => self.hubs(spot, &mut by_type),
            false => Vec::new(),
        };
        let touched = std::mem::take(&mut self.touched);
        let bundles = self.bundles(&origin, by_type);
        let copies = self.copies;
        self.copies = copies.saturating_mul(bundle::most_copies(&bundles));
        if self.copies > MOST_COPIES && !self.is_frugal {
            return Err(PlanError::Exhausted);
        }
        for Bundle { types, fields, beside } in bundles {
            let Some(ty) = types.first() else { continue };
            let selection = self.drafts.fragment(origin.selection, &types);
            let mut origin = Origin { selection, ..origin.clone() };
            if origin.subgraph == SubgraphId::NONE {
                origin.provided = self.hub_keys(ty);
            }
            let mut inner = spot.narrowed(ty, types.clone(), origin);
            inner.beside = beside;
            let rest = self.object(&mut inner, merge_fields(fields))?;
            if rest.is_empty() {
                continue;
            }
            for ty in types {
                let mut rest = rest.clone();
                Self::give_back(&mut hubs, &ty, &mut rest);
                remain(&mut remainder, &pending, ty, rest);
            }
        }
        self.copies = copies;
        let after = self.touched.clone();
        for hub in &hubs {
            remainder.fragments.extend(self.beyond(spot, hub, &after)?);
        }
        self.touched.extend(touched);
        Ok(remainder)
    }

    /// Whether the origin's subgraph resolves `field` on every type that `spot` can be.
    fn is_local_for_all(&self, spot: &Spot<'a>, origin: &Origin<'a>, field: &Field) -> bool {
        let local = |ty: &Name| {
            matches!(
                self.access(origin.subgraph, ty, &field.name, &origin.provided),
                Access::Local(..)
            )
        };
        match self.access(origin.subgraph, &spot.ty, &field.name, &origin.provided) {
            Access::Local(_, Some(source)) if source.whole => true,
            Access::Local(..) => spot.possible.iter().chain(&spot.stand_ins).all(local),
            Access::Requires(..) | Access::No => false,
        }
    }

    /// Whether a subgraph that has the interface `ty` as an object adds `field` to it.
    fn is_of_interface_object(&self, ty: &Name, field: &Field) -> bool {
        self.supergraph.type_info(ty).is_some_and(|info| {
            info.object_in
                .iter()
                .any(|&subgraph| !matches!(self.access(subgraph, ty, &field.name, &[]), Access::No))
        })
    }

    /// Whether the subgraph's own idea of the abstract type `ty` picks exactly `here` out of the spot's objects.
    fn is_known_as(&self, subgraph: SubgraphId, ty: &Name, spot: &Spot<'a>, here: &[Name]) -> bool {
        let known = self.supergraph.type_info(ty).is_some_and(|info| {
            info.kind == TypeKind::Abstract && info.subgraphs.contains(&subgraph)
        });
        let types = self.supergraph.possible_types_in(subgraph, ty);
        known
            && !here.is_empty()
            && spot.possible.iter().all(|ty| types.contains(ty) == here.contains(ty))
    }

    pub(super) fn is_abstract(&self, ty: &str) -> bool {
        self.supergraph.type_info(ty).is_some_and(|info| info.kind == TypeKind::Abstract)
    }
}

/// Adds to what remains what is left over for objects of `ty`: fields that were selected on all types for all of them.
fn remain(remainder: &mut SelectionSet, pending: &[Arc<Field>], ty: Name, rest: Vec<Arc<Field>>) {
    let is_of_all = |rest: &Arc<Field>| pending.iter().any(|field| field.key == rest.key);
    let (of_all, of_type): (Vec<_>, Vec<_>) = rest.into_iter().partition(is_of_all);
    for field in pending.iter().filter(|field| of_all.iter().any(|rest| rest.key == field.key)) {
        if remainder.fields.iter().all(|known| known.key != field.key) {
            remainder.fields.push(field.clone());
        }
    }
    if !of_type.is_empty() {
        remainder.fragments.push(SelectionSet { fields: of_type, ..SelectionSet::new(ty) });
    }
}
