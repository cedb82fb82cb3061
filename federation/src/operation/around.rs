//! Directives of a client's own on fragments, which go along to subgraphs: each field knows those of the fragments around it, and
//! takes them with it whatever subgraph it is asked of. Fragments themselves are gone from a normalised operation.
//!
//! They are written on inline fragments; one that may not stand there is not passed on. Nor is what stands on a fragment's
//! definition. A field that is also selected outside such fragments is asked for without them, as one that is also selected
//! outside a deferred fragment is not deferred.

use apollo_compiler::Node;
use apollo_compiler::Schema;
use apollo_compiler::ast::{Directive, DirectiveList, DirectiveLocation};
use apollo_compiler::collections::IndexSet;

use super::normalise::is_for_subgraphs;

/// The directives of the fragments around a field that have any, the outermost fragment first.
pub(crate) type Around = Vec<Vec<Node<Directive>>>;

/// Number of an [`Around`]; the first is of no fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct AroundId(usize);

impl AroundId {
    /// What is around a field that is selected in both.
    pub(super) fn met(self, other: Self) -> Self {
        let none = Self::default();
        if other == none { none } else { self }
    }
}

/// All that was met in an operation.
#[derive(Debug)]
pub(super) struct Arounds(IndexSet<Around>);

impl Arounds {
    pub(super) fn new() -> Self {
        Self(IndexSet::from_iter([Around::new()]))
    }

    pub(super) fn get(&self, id: AroundId) -> Around {
        self.0.get_index(id.0).cloned().unwrap_or_default()
    }

    /// What is around the fields of a fragment with these directives.
    pub(super) fn inside(
        &mut self,
        outer: AroundId,
        directives: &DirectiveList,
        schema: &Schema,
    ) -> AroundId {
        let own = directives.iter().filter(|one| is_for_subgraphs(one));
        let own: Vec<_> = own.filter(|one| is_for_inline_fragments(one, schema)).cloned().collect();
        if own.is_empty() {
            return outer;
        }
        let mut around = self.get(outer);
        around.push(own);
        AroundId(self.0.insert_full(around).0)
    }
}

fn is_for_inline_fragments(directive: &Directive, schema: &Schema) -> bool {
    let definition = schema.directive_definitions.get(&directive.name);
    definition.is_some_and(|of| of.locations.contains(&DirectiveLocation::InlineFragment))
}

/// What is around a field that is selected in both, `present` having been there before.
pub(super) fn meet(present: &mut Around, other: &Around) {
    if other.is_empty() {
        present.clear();
    }
}
