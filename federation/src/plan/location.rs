//! The way to the objects that a fetch completes, as slots.

use std::sync::Arc;

use super::Step;
use super::layout::{Layout, PositionId, TypeId};

/// The objects of one position, or those of them that the way there leads to.
#[derive(Debug, PartialEq)]
pub(crate) struct Location {
    pub(crate) position: PositionId,
    pub(crate) steps: Vec<LocationStep>,
    /// Whether the way leads to all objects of the position.
    pub(crate) is_whole: bool,
}

/// A step from an object to one further in.
#[derive(Debug, PartialEq)]
pub(crate) enum LocationStep {
    Key {
        key: Arc<str>,
        slot: usize,
        /// The position of the objects under the key.
        child: PositionId,
    },
    Each,
    /// Only objects of these types.
    Types(Vec<TypeId>),
}

impl Location {
    pub(super) fn new(layout: &mut Layout, path: &[Step]) -> Self {
        let mut position = Layout::ROOT;
        let steps = path
            .iter()
            .map(|step| match step {
                Step::Key(key) => {
                    let (slot, child) = layout.child(position, key);
                    position = child;
                    LocationStep::Key { key: key.as_str().into(), slot, child }
                }
                Step::Each => LocationStep::Each,
                Step::Type(types) => {
                    LocationStep::Types(types.iter().map(|ty| layout.add_type(ty)).collect())
                }
            })
            .collect();
        let is_whole = !path.iter().any(|step| matches!(step, Step::Type(_)));
        Self { position, steps, is_whole }
    }
}
