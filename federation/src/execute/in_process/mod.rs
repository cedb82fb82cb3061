//! Reads the answers of subgraphs in this process.

mod key;
mod sink;

use serde::Serialize;

use crate::plan::{Layout, ObjectReader};

use super::arena::{Arena, Slot};
use key::Key;
use sink::{Kind, Sink};

/// A value of a subgraph in this process: whatever `serde` can serialise. The engine is the serialiser.
pub trait Answer: Send {
    /// Gives the value to the engine.
    ///
    /// # Errors
    /// When the value does not serialise, or is no GraphQL value.
    fn give(&self, taker: &mut Taker<'_, '_>) -> Result<(), serde_json::Error>;
}

impl<T: Serialize + Send> Answer for T {
    fn give(&self, taker: &mut Taker<'_, '_>) -> Result<(), serde_json::Error> {
        taker.take(self)
    }
}

/// Takes one value into the engine's own form.
pub struct Taker<'r, 'a> {
    layout: &'r Layout,
    reader: &'r ObjectReader,
    arena: &'r mut Arena<'a>,
    taken: Slot,
}

impl Taker<'_, '_> {
    /// Takes a value; the last one counts.
    ///
    /// # Errors
    /// When the value does not serialise, or is no GraphQL value.
    pub fn take(&mut self, value: &impl Serialize) -> Result<(), serde_json::Error> {
        let Self { layout, reader, arena, .. } = self;
        self.taken = value.serialize(Sink { layout, arena, kind: Kind::Objects(0, reader) })?;
        Ok(())
    }
}

impl std::fmt::Debug for Taker<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taker").field("taken", &self.taken).finish_non_exhaustive()
    }
}

/// Reads the object that `answer` is. It gives the object's slot, null or invalid where it is none.
pub(super) fn read_object(
    answer: &dyn Answer,
    layout: &Layout,
    reader: &ObjectReader,
    arena: &mut Arena<'_>,
) -> Result<Slot, serde_json::Error> {
    let mut taker = Taker { layout, reader, arena, taken: Slot::Null };
    answer.give(&mut taker)?;
    Ok(taker.taken)
}
