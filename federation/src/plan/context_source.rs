//! Where an execution finds the value of a context, as slots.

use crate::operation::SelectionSet;
use crate::supergraph::Supergraph;

use super::Step;
use super::draft::ContextDraft;
use super::layout::{Layout, PositionId, TypeId};

/// A variable of a fetch that has its value from an object on the way to the entities.
#[derive(Debug, PartialEq)]
pub(crate) struct ContextSource {
    /// The variable's name as JSON, with the colon after it.
    pub(crate) written_name: String,
    /// How many steps of the entities' location lead to the object.
    pub(crate) depth: usize,
    pub(crate) value: ContextValue,
}

/// The way from an object to a value in it.
#[derive(Debug, PartialEq)]
pub(crate) struct ContextValue {
    pub(crate) field: Option<ContextField>,
    /// Other ways, for objects of these types.
    pub(crate) variants: Vec<(Vec<TypeId>, ContextValue)>,
}

/// A field on the way to a value.
#[derive(Debug, PartialEq)]
pub(crate) struct ContextField {
    pub(crate) slot: usize,
    /// For a composite field, where its objects are and the way on.
    pub(crate) inner: Option<(PositionId, Box<ContextValue>)>,
}

impl ContextSource {
    pub(super) fn new(supergraph: &Supergraph, layout: &mut Layout, draft: &ContextDraft) -> Self {
        let mut position = Layout::ROOT;
        for step in &draft.path {
            if let Step::Key(key) = step {
                (_, position) = layout.child(position, key);
            }
        }
        Self {
            written_name: format!("\"{}\":", draft.variable),
            depth: draft.path.len(),
            value: ContextValue::new(supergraph, layout, position, &draft.set),
        }
    }
}

impl ContextValue {
    fn new(
        supergraph: &Supergraph,
        layout: &mut Layout,
        position: PositionId,
        set: &SelectionSet,
    ) -> Self {
        let field = set.fields.first().map(|field| match &field.selections {
            None => ContextField { slot: layout.slot(position, &field.key), inner: None },
            Some(set) => {
                let (slot, child) = layout.child(position, &field.key);
                let inner = Box::new(Self::new(supergraph, layout, child, set));
                ContextField { slot, inner: Some((child, inner)) }
            }
        });
        let variants = set
            .fragments
            .iter()
            .map(|fragment| {
                let types = supergraph.possible_types(&fragment.ty);
                let types = types.iter().map(|ty| layout.add_type(ty)).collect();
                (types, Self::new(supergraph, layout, position, fragment))
            })
            .collect();
        Self { field, variants }
    }
}
