//! Writes the requests of an entity fetch: each distinct representation once, straight into the request's text, and which
//! rows wait for it.

use std::collections::HashMap;
use std::ops::Range;

use ahash::RandomState;

use crate::plan::{
    Entities, Entry, EntryType, FetchNode, Layout, PositionId, Representation, TYPE_SLOT,
};

use super::EntityCount;
use super::arena::{Arena, Slot, count};
use super::context::{self, Group};
use super::locate;

/// The entities that one request asks for at one place.
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

/// How much a request asks for; nothing where it is no entity fetch's.
pub(super) fn counted(batches: &[Batch]) -> Option<EntityCount> {
    (!batches.is_empty()).then(|| EntityCount {
        representations: batches.iter().map(|batch| batch.asked as usize).sum(),
        objects: batches.iter().map(|batch| batch.places.len()).sum(),
    })
}

/// The requests of an entity fetch: their texts, which end inside the variables, and for each place that the fetch completes
/// what is asked for. None when there is nothing to ask for.
pub(super) fn requests(
    arena: &Arena<'_>,
    layout: &Layout,
    node: &FetchNode,
    most: usize,
) -> Vec<(Vec<u8>, Vec<Batch>)> {
    if let [entities] = node.entities.as_slice()
        && !node.contexts.is_empty()
    {
        return in_groups(arena, layout, node, entities, most);
    }
    let most = (most / node.entities.len().max(1)).max(1);
    let opening = |number: usize, entities: &Entities| match number {
        0 => format!("{}{{\"{}\":[", node.head, entities.variable),
        _ => format!("],\"{}\":[", entities.variable),
    };
    let mut lists: Vec<_> = node
        .entities
        .iter()
        .enumerate()
        .map(|(number, entities)| {
            let opening = opening(number, entities);
            let rows = locate::rows(arena, &entities.location);
            let texts = represent(arena, layout, entities, rows, most, &opening);
            (opening, texts.into_iter())
        })
        .collect();
    let count = lists.iter().map(|(_, texts)| texts.len()).max().unwrap_or_default();
    (0..count)
        .map(|_| {
            let mut request = Vec::new();
            let mut batches = Vec::with_capacity(lists.len());
            for (opening, texts) in &mut lists {
                let (text, batch) =
                    texts.next().unwrap_or_else(|| (opening.as_bytes().to_vec(), Batch::default()));
                if request.is_empty() {
                    request = text;
                } else {
                    request.extend_from_slice(&text);
                }
                batches.push(batch);
            }
            request.push(b']');
            (request, batches)
        })
        .collect()
}

/// The requests of a fetch whose variables depend on the objects: one at least for each of their values.
fn in_groups(
    arena: &Arena<'_>,
    layout: &Layout,
    node: &FetchNode,
    entities: &Entities,
    most: usize,
) -> Vec<(Vec<u8>, Vec<Batch>)> {
    let groups = context::groups(arena, &entities.location, &node.contexts);
    let texts = groups.into_iter().flat_map(|Group { variables, rows }| {
        let opening = format!("{}{{{variables}\"{}\":[", node.head, entities.variable);
        represent(arena, layout, entities, rows, most.max(1), &opening)
    });
    texts
        .map(|(mut text, batch)| {
            text.push(b']');
            (text, vec![batch])
        })
        .collect()
}

/// Represents the objects in `rows` of the entities' location, at most `most` to a text. Objects that lack a part of their key are left
/// out. Each text begins with `opening` and then has the representations, with commas between them.
fn represent(
    arena: &Arena<'_>,
    layout: &Layout,
    entities: &Entities,
    rows: Vec<u32>,
    most: usize,
    opening: &str,
) -> Vec<(Vec<u8>, Batch)> {
    let mut writer = Writer {
        arena,
        layout,
        opening,
        most,
        hasher: RandomState::new(),
        known: HashMap::with_capacity_and_hasher(rows.len(), RandomState::new()),
        spans: Vec::with_capacity(rows.len()),
        texts: Vec::new(),
    };
    let position = entities.location.position;
    for row in rows {
        if let Some((entry, ty)) = entry_of(entities, arena.get(position, row, TYPE_SLOT)) {
            writer.add(position, row, entry, ty);
        }
    }
    // Of a text in which nothing was written only the beginning is there.
    writer.texts.retain(|(_, batch)| batch.asked > 0);
    writer.texts
}

fn entry_of(entities: &Entities, ty: Slot) -> Option<(&Entry, &EntryType)> {
    if let [only] = entities.entries.as_slice()
        && !only.mixed
    {
        return Some((only, only.types.first()?));
    }
    let types =
        entities.entries.iter().flat_map(|entry| entry.types.iter().map(move |ty| (entry, ty)));
    types.into_iter().find(|(_, of)| ty == Slot::Type(of.id))
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
    fn add(&mut self, position: PositionId, row: u32, entry: &Entry, ty: &EntryType) {
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
        text.extend_from_slice(ty.opening.as_bytes());
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
