//! Plans fields that several object types share once for all of them.
//!
//! What an interface's subgraph does not resolve on every type is planned type by type, and what is selected further in
//! once for each; such plans grow with the number of types to the power of their depth. When a plan grows beyond what is
//! accepted, it is made anew with hubs: each type's field is fetched only with the keys of the objects it leads to, and
//! from there, whichever fetch brought them, all of these objects go on together, entered by their keys. That takes a round
//! more at each hub, but the plan grows as the operation does.

use std::collections::BTreeSet;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::collections::IndexMap;

use crate::operation::{Field, SelectionSet};
use crate::supergraph::{FieldSet, SubgraphId};

use super::Step;
use super::draft::{FetchDraft, FetchId};
use super::planner::{PlanError, Planner};
use super::spot::{Origin, Spot};

/// A field that several types share.
pub(super) struct Hub {
    field: Arc<Field>,
    /// The same field with nothing but keys selected.
    stub: Arc<Field>,
    /// The types whose objects it was planned for.
    types: Vec<Name>,
}

impl<'a> Planner<'a> {
    /// Puts stubs in the place of composite fields that several types share.
    pub(super) fn hubs(
        &mut self,
        spot: &Spot<'a>,
        by_type: &mut IndexMap<Name, Vec<Arc<Field>>>,
    ) -> Vec<Hub> {
        let mut shared: IndexMap<*const Field, Vec<Name>> = IndexMap::default();
        for (ty, fields) in by_type.iter() {
            for field in fields.iter().filter(|field| field.selections.is_some()) {
                let is_alone = fields.iter().filter(|other| other.key == field.key).count() == 1;
                if is_alone {
                    shared.entry(Arc::as_ptr(field)).or_default().push(ty.clone());
                }
            }
        }
        shared.retain(|_, types| types.len() > 1);
        let mut hubs: Vec<Hub> = Vec::new();
        for (ty, fields) in by_type {
            for field in fields.iter_mut() {
                let is_shared = shared.contains_key(&Arc::as_ptr(field));
                let known = hubs.iter_mut().find(|hub| Arc::ptr_eq(&hub.field, field));
                let stub = match known {
                    _ if !is_shared => continue,
                    Some(hub) => {
                        hub.types.push(ty.clone());
                        hub.stub.clone()
                    }
                    None => {
                        let Some(stub) = self.stub(spot, field) else { continue };
                        hubs.push(Hub {
                            field: field.clone(),
                            stub: stub.clone(),
                            types: vec![ty.clone()],
                        });
                        stub
                    }
                };
                *field = stub;
            }
        }
        hubs
    }

    /// `field` with the keys of the objects it leads to; none where these have none.
    fn stub(&mut self, spot: &Spot<'a>, field: &Field) -> Option<Arc<Field>> {
        let ty = field.ty.inner_named_type();
        // Objects whose types a subgraph cannot tell are not entered by their types' keys.
        let info = self.supergraph.type_info(ty)?;
        if !(info.object_in.is_empty() && info.stand_ins.is_empty()) {
            return None;
        }
        let names = self.names.child(spot.names, &field.key);
        let mut selections = SelectionSet::new(ty.clone());
        if let Some(key) = self.common_key(ty) {
            selections.fields = self.names.select(names, key).fields;
            return Some(Arc::new(Field { selections: Some(selections), ..field.clone() }));
        }
        for object in self.supergraph.possible_types(ty) {
            let keys = self.hub_keys(&object);
            if keys.is_empty() {
                return None;
            }
            let mut fragment = SelectionSet::new(object.clone());
            for key in keys {
                let key = self.names.select(names, key);
                fragment.fields.extend(key.fields);
            }
            if object == *ty {
                selections = fragment;
            } else {
                selections.fragments.push(fragment);
            }
        }
        Some(Arc::new(Field { selections: Some(selections), ..field.clone() }))
    }

    /// The one key, of plain fields, that all objects of an interface have and the interface too.
    fn common_key(&self, ty: &str) -> Option<&'a FieldSet> {
        let info = self.supergraph.type_info(ty)?;
        let mut common: Option<&'a FieldSet> = None;
        for object in self.supergraph.possible_types(ty) {
            let keys = self.hub_keys(&object);
            if keys.is_empty() {
                return None;
            }
            for key in keys {
                let is_known = key.fields.iter().all(|field| info.fields.contains_key(&field.name));
                if !is_known || !common.unwrap_or(key).is_same(key) {
                    return None;
                }
                common = Some(key);
            }
        }
        common
    }

    /// What is known of an object at a hub.
    pub(super) fn hub_keys(&self, ty: &str) -> Vec<&'a FieldSet> {
        let info = self.supergraph.type_info(ty);
        let keys =
            info.into_iter().flat_map(|info| info.own_keys.iter().map(|key| &info.keys[*key]));
        keys.map(|key| &key.fields).collect()
    }

    /// Turns stubs that were left over for objects of `ty` back into what they stand for.
    pub(super) fn give_back(hubs: &mut [Hub], ty: &Name, rest: &mut [Arc<Field>]) {
        for field in rest {
            if let Some(hub) =
                hubs.iter_mut().find(|hub| hub.field.key == field.key && hub.types.contains(ty))
            {
                *field = hub.field.clone();
                hub.types.retain(|other| other != ty);
            }
        }
    }

    /// Plans what the field of `hub` selects, from the keys that `after` brought, and returns what could not be.
    pub(super) fn beyond(
        &mut self,
        spot: &Spot<'a>,
        hub: &Hub,
        after: &BTreeSet<FetchId>,
    ) -> Result<Vec<SelectionSet>, PlanError> {
        let (Some(selections), false) = (&hub.field.selections, hub.types.is_empty()) else {
            return Ok(Vec::new());
        };
        let selection = self.drafts.new_selection();
        let fetch = self.drafts.new_fetch(FetchDraft {
            subgraph: SubgraphId::NONE,
            depends_on: after.clone(),
            entities: None,
            at: Vec::new(),
            selection,
            defer: self.defer,
            contexts: Vec::new(),
        });
        let mut path = spot.path.clone();
        let mut is_whole =
            spot.stand_ins.is_empty() && spot.possible.iter().all(|ty| hub.types.contains(ty));
        while matches!(path.last(), Some(Step::Type(_))) {
            path.pop();
            is_whole = false;
        }
        if !is_whole {
            path.push(Step::Type(hub.types.clone()));
        }
        path.push(Step::Key(hub.field.key.clone()));
        let mut item = &hub.field.ty;
        while item.is_list() {
            path.push(Step::Each);
            item = item.item_type();
        }
        let ty = hub.field.ty.inner_named_type().clone();
        let mut inner = Spot {
            is_root: false,
            path,
            possible: self.supergraph.possible_types(&ty),
            is_opaque: false,
            stand_ins: Vec::new(),
            names: self.names.child(spot.names, &hub.field.key),
            origins: vec![Origin {
                subgraph: SubgraphId::NONE,
                fetch,
                selection,
                is_entry: false,
                provided: if self.is_abstract(&ty) { Vec::new() } else { self.hub_keys(&ty) },
            }],
            beside: Vec::new(),
            closed: 0,
            ty,
        };
        let was_gathering = std::mem::replace(&mut self.is_gathering, false);
        let rest = self.selections(&mut inner, selections);
        self.is_gathering = was_gathering;
        let rest = rest?;
        if rest.is_empty() {
            return Ok(Vec::new());
        }
        let field = Arc::new(Field { selections: Some(rest), ..Field::clone(&hub.field) });
        let of_type = |ty: &Name| SelectionSet {
            fields: vec![field.clone()],
            ..SelectionSet::new(ty.clone())
        };
        Ok(hub.types.iter().map(of_type).collect())
    }
}
