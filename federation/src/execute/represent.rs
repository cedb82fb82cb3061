//! Writes the requests of an entity fetch: each distinct representation once, straight into the request's text, and which
//! rows wait for it.

use std::collections::HashMap;
use std::ops::Range;

use ahash::RandomState;

use crate::plan::{Entities, Entry, Layout, PositionId, Representation, TYPE_SLOT};

use super::arena::{Arena, Slot, count};
use super::locate;

/// The entities that one request asks for.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// How many there are.
    pub(super) asked: u32,
    pub(super) places: Vec<Place>,
}

/// A row that waits for an entity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) row: u32,
    /// The entity's index in the request.
    pub(super) entity: u32,
}

/// Represents the objects at the entities' location, at most `most` to a text. Objects that lack a part of their key are left
/// out. Each text begins with `opening` and then has the representations, with commas between them.
pub(super) fn represent(
    arena: &Arena<'_>,
    layout: &Layout,
    entities: &Entities,
    most: usize,
    opening: &str,
) -> Vec<(Vec<u8>, Batch)> {
    let mut writer = Writer {
        arena,
        layout,
        opening,
        most: most.max(1),
        hasher: RandomState::new(),
        known: HashMap::default(),
        spans: Vec::new(),
        texts: Vec::new(),
    };
    let position = entities.location.position;
    for row in locate::rows(arena, &entities.location) {
        if let Some(entry) = entry_of(entities, arena.get(position, row, TYPE_SLOT)) {
            writer.add(position, row, entry);
        }
    }
    writer.texts
}

fn entry_of(entities: &Entities, ty: Slot) -> Option<&Entry> {
    match entities.entries.as_slice() {
        [only] if !only.mixed => Some(only),
        entries => entries.iter().find(|entry| ty == Slot::Type(entry.type_id)),
    }
}

struct Writer<'a> {
    arena: &'a Arena<'a>,
    layout: &'a Layout,
    opening: &'a str,
    most: usize,
    hasher: RandomState,
    /// The number of the representation with this hash.
    known: HashMap<u64, usize, RandomState>,
    /// Where each representation stands in its text.
    spans: Vec<Range<usize>>,
    texts: Vec<(Vec<u8>, Batch)>,
}

impl Writer<'_> {
    /// Writes the representation of a row to the end of the last text, where it stays if it is new.
    fn add(&mut self, position: PositionId, row: u32, entry: &Entry) {
        let number = self.spans.len();
        if self.texts.is_empty() {
            self.texts.push((self.opening.as_bytes().to_vec(), Batch::default()));
        }
        let Some((text, _)) = self.texts.last_mut() else {
            return;
        };
        let end = text.len();
        if !number.is_multiple_of(self.most) {
            text.push(b',');
        }
        let start = text.len();
        text.extend_from_slice(entry.opening.as_bytes());
        let source = Source { arena: self.arena, layout: self.layout };
        if source.fields(text, position, row, &entry.representation).is_none() {
            text.truncate(end);
            return;
        }
        text.push(b'}');
        let mut hash = self.hasher.hash_one(&text[start..]);
        let known = loop {
            match self.known.get(&hash) {
                None => break None,
                Some(&known) if self.is(known, start) => break Some(known),
                // Another representation with the same hash: look in the next place.
                Some(_) => hash = hash.wrapping_add(1),
            }
        };
        let known = match known {
            Some(known) => {
                if let Some((text, _)) = self.texts.last_mut() {
                    text.truncate(end);
                }
                known
            }
            None => {
                self.keep(start);
                self.known.insert(hash, number);
                number
            }
        };
        let (_, batch) = &mut self.texts[known / self.most];
        batch.places.push(Place { row, entity: count(known % self.most) });
    }

    /// Whether the representation `known` is the one at the end of the last text.
    fn is(&self, known: usize, start: usize) -> bool {
        let last = self.texts.last().and_then(|(text, _)| text.get(start..));
        let (text, _) = &self.texts[known / self.most];
        last == Some(&text[self.spans[known].clone()])
    }

    /// Keeps what the last text ends with as a representation; in a new text when the last one is full.
    fn keep(&mut self, start: usize) {
        let is_full = !self.spans.is_empty() && self.spans.len().is_multiple_of(self.most);
        if is_full && let Some((full, _)) = self.texts.last_mut() {
            let mut text = self.opening.as_bytes().to_vec();
            text.extend_from_slice(&full[start..]);
            full.truncate(start);
            self.texts.push((text, Batch::default()));
        }
        if let Some((text, batch)) = self.texts.last_mut() {
            let start = if is_full { self.opening.len() } else { start };
            self.spans.push(start..text.len());
            batch.asked += 1;
        }
    }
}

/// What representations are written from.
struct Source<'a> {
    arena: &'a Arena<'a>,
    layout: &'a Layout,
}

impl Source<'_> {
    /// Writes the fields of an object, each after a comma. None when one is missing that may not be.
    fn fields(
        &self,
        out: &mut Vec<u8>,
        position: PositionId,
        row: u32,
        representation: &Representation,
    ) -> Option<()> {
        let slots = self.arena.row(position, row);
        for field in &representation.fields {
            let value = slots[field.slot];
            if value == Slot::Null && !field.nullable {
                return None;
            }
            out.extend_from_slice(field.written_name.as_bytes());
            match &field.nested {
                None => self.leaf(out, value)?,
                Some((child, nested)) => self.nested(out, *child, value, nested)?,
            }
        }
        for (types, variant) in &representation.variants {
            if matches!(slots[TYPE_SLOT], Slot::Type(ty) if types.contains(&ty)) {
                self.fields(out, position, row, variant)?;
            }
        }
        Some(())
    }

    fn leaf(&self, out: &mut Vec<u8>, value: Slot) -> Option<()> {
        match value {
            Slot::Text { .. } => out.extend_from_slice(self.arena.text(value)),
            Slot::Null => out.extend_from_slice(b"null"),
            _ => return None,
        }
        Some(())
    }

    fn nested(
        &self,
        out: &mut Vec<u8>,
        position: PositionId,
        value: Slot,
        representation: &Representation,
    ) -> Option<()> {
        let list = |out: &mut Vec<u8>, first: u32, count: u32, item: &dyn Fn(u32) -> Slot| {
            out.push(b'[');
            for index in first..first + count {
                if index > first {
                    out.push(b',');
                }
                self.nested(out, position, item(index), representation)?;
            }
            out.push(b']');
            Some(())
        };
        match value {
            Slot::Row(row) => self.object(out, position, row, representation),
            Slot::Rows { first, count } => list(out, first, count, &Slot::Row),
            Slot::Items { first, count } => {
                list(out, first, count, &|index| self.arena.item(index))
            }
            value => self.leaf(out, value),
        }
    }

    fn object(
        &self,
        out: &mut Vec<u8>,
        position: PositionId,
        row: u32,
        representation: &Representation,
    ) -> Option<()> {
        let ty = self.arena.get(position, row, TYPE_SLOT);
        match ty {
            Slot::Null => {
                out.extend_from_slice(b"null");
                return Some(());
            }
            Slot::Invalid => return None,
            _ => {}
        }
        let start = out.len();
        if !representation.variants.is_empty() {
            // The subgraph must be told which of the types it is, also one that the plan does not tell apart.
            out.extend_from_slice(b",\"__typename\":");
            match ty {
                Slot::Type(ty) => {
                    out.push(b'"');
                    out.extend_from_slice(self.layout.type_name(ty).as_bytes());
                    out.push(b'"');
                }
                ty => self.leaf(out, ty)?,
            }
        }
        self.fields(out, position, row, representation)?;
        if out.len() == start {
            out.push(b'{');
        } else {
            // In place of the first comma.
            out[start] = b'{';
        }
        out.push(b'}');
        Some(())
    }
}
