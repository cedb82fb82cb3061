//! How much of a selection a subgraph resolves without help: by this the planner chooses whom to enter.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::collections::HashMap;

use crate::operation::{Field, SelectionSet};
use crate::supergraph::{FieldSet, SubgraphId};

use super::planner::{Access, Planner, is_meta, provided_under};

/// How much of a field of a type a subgraph resolves.
pub(super) type Coverages = HashMap<(SubgraphId, *const Field, Name), (Arc<Field>, usize)>;

impl<'a> Planner<'a> {
    /// How many leaves of `field` the subgraph resolves without help.
    pub(super) fn coverage(
        &self,
        subgraph: SubgraphId,
        ty: &Name,
        field: &Arc<Field>,
        provided: &[&'a FieldSet],
    ) -> usize {
        if field.selections.is_none() || !provided.is_empty() {
            return self.counted_coverage(subgraph, ty, field, provided);
        }
        let question = (subgraph, Arc::as_ptr(field), ty.clone());
        if let Some((_, known)) = self.coverages.borrow().get(&question) {
            return *known;
        }
        let coverage = self.counted_coverage(subgraph, ty, field, provided);
        self.coverages.borrow_mut().insert(question, (field.clone(), coverage));
        coverage
    }

    fn counted_coverage(
        &self,
        subgraph: SubgraphId,
        ty: &Name,
        field: &Field,
        provided: &[&'a FieldSet],
    ) -> usize {
        if is_meta(field) {
            return 1;
        }
        let Access::Local(info, source) = self.access(subgraph, ty, &field.name, provided) else {
            return 0;
        };
        let Some(selections) = &field.selections else {
            return 1;
        };
        let provided = provided_under(provided, ty, &field.name, source);
        let ty = source.and_then(|source| source.ty.as_ref()).unwrap_or(&info.ty);
        self.coverage_of_set(subgraph, ty.inner_named_type(), selections, &provided)
    }

    fn coverage_of_set(
        &self,
        subgraph: SubgraphId,
        ty: &Name,
        set: &SelectionSet,
        provided: &[&'a FieldSet],
    ) -> usize {
        let fields: usize =
            set.fields.iter().map(|field| self.coverage(subgraph, ty, field, provided)).sum();
        let fragments: usize = set
            .fragments
            .iter()
            .map(|fragment| self.coverage_of_set(subgraph, &fragment.ty, fragment, provided))
            .sum();
        fields + fragments
    }
}
