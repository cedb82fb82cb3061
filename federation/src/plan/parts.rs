//! Named fragments of a fetch's operation. What is selected under one field of several object types is written once for all of them,
//! so that a text does not grow with the number of types at each level of the operation.

use apollo_compiler::Name;
use apollo_compiler::collections::IndexSet;

use crate::supergraph::{SubgraphId, Supergraph};

use super::draft::{Drafts, SelectionId};

/// How many fields a name must spare a text, or it would be longer with it.
const LEAST_SPARED: usize = 8;

/// The selections of a text that have names, each with the type of its objects.
#[derive(Debug, Default)]
pub(super) struct Parts(IndexSet<(SelectionId, Name)>);

impl Parts {
    /// The name of a selection on objects of `ty`.
    pub(super) fn name(&mut self, id: SelectionId, ty: &Name) -> String {
        let (index, _) = self.0.insert_full((id, ty.clone()));
        Self::numbered(index)
    }

    /// The part `index`: its name, its selection and the type of its objects.
    pub(super) fn get(&self, index: usize) -> Option<(String, SelectionId, Name)> {
        let (id, ty) = self.0.get_index(index)?;
        Some((Self::numbered(index), *id, ty.clone()))
    }

    fn numbered(index: usize) -> String {
        format!("part_{index}")
    }
}

impl Drafts {
    /// Whether a text with so many copies of a selection is shorter when the selection has a name.
    pub(super) fn is_worth_a_name(&self, id: SelectionId, copies: usize) -> bool {
        let Some(spared) = copies.checked_sub(1).filter(|spared| *spared > 0) else {
            return false;
        };
        let mut wanted = LEAST_SPARED.div_ceil(spared);
        self.has_fields(id, &mut wanted)
    }

    /// Whether a selection has as many fields as are `wanted`, with those further in.
    fn has_fields(&self, id: SelectionId, wanted: &mut usize) -> bool {
        let selection = self.selection(id);
        *wanted = wanted.saturating_sub(selection.fields.len());
        let inner = selection.fields.values().filter_map(|field| field.selection);
        let mut inner = inner.chain(selection.fragments.values().copied());
        *wanted == 0 || inner.any(|id| self.has_fields(id, wanted))
    }
}

/// The type of the objects under a field of `parent`, as the subgraph declares it. None where that is not known by this name: root
/// types are called what their subgraph likes.
pub(super) fn type_under<'a>(
    supergraph: &'a Supergraph,
    subgraph: SubgraphId,
    parent: &Name,
    field: &Name,
) -> Option<&'a Name> {
    let (_, ty) = supergraph.field_in(subgraph, parent, field)?;
    let (ty, schema) = (ty.inner_named_type(), &supergraph.api().schema_definition);
    let roots = [&schema.query, &schema.mutation, &schema.subscription];
    let is_root = roots.into_iter().flatten().any(|root| root.name == *ty);
    (!is_root).then_some(ty)
}
