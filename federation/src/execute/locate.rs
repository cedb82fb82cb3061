//! Finds the rows that a fetch's location leads to, and their paths in the answer.

use crate::plan::{Layout, Location, LocationStep, TYPE_SLOT, TypeId};

use super::PathSegment;
use super::arena::{Arena, Slot};

/// The objects at a location, each once however many places share it.
pub(super) fn rows(arena: &Arena<'_>, location: &Location) -> Vec<u32> {
    let position = location.position;
    if location.is_whole {
        return (0..arena.rows(position)).filter(|&row| arena.is_object(position, row)).collect();
    }
    let mut position = Layout::ROOT;
    let mut rows = vec![0];
    for step in &location.steps {
        match step {
            LocationStep::Key { slot, child, .. } => {
                let mut next = Inner {
                    rows: Vec::with_capacity(rows.len()),
                    seen: vec![false; arena.rows(*child) as usize],
                };
                for row in rows {
                    next.add(arena, arena.get(position, row, *slot));
                }
                position = *child;
                rows = next.rows;
                rows.retain(|&row| arena.is_object(position, row));
            }
            // The lists under a key were entered with it.
            LocationStep::Each => {}
            LocationStep::Types(types) => {
                rows.retain(|&row| is_any_of(arena.get(position, row, TYPE_SLOT), types));
            }
        }
    }
    rows
}

struct Inner {
    rows: Vec<u32>,
    seen: Vec<bool>,
}

impl Inner {
    fn add(&mut self, arena: &Arena<'_>, value: Slot) {
        match value {
            Slot::Row(row) => self.add_rows(row, 1),
            Slot::Rows { first, count } => self.add_rows(first, count),
            Slot::Items { first, count } => {
                for index in first..first + count {
                    self.add(arena, arena.item(index));
                }
            }
            _ => {}
        }
    }

    fn add_rows(&mut self, first: u32, count: u32) {
        for row in first..first + count {
            if !std::mem::replace(&mut self.seen[row as usize], true) {
                self.rows.push(row);
            }
        }
    }
}

fn is_any_of(slot: Slot, types: &[TypeId]) -> bool {
    matches!(slot, Slot::Type(id) if types.contains(&id))
}

/// Calls `visitor` with each object at a location, as often as it stands in the answer, and its path. This takes as long as
/// the answer is large; only errors need it.
pub(super) fn paths(
    arena: &Arena<'_>,
    location: &Location,
    visitor: &mut dyn FnMut(u32, &[PathSegment]),
) {
    let mut path = Vec::new();
    walk(arena, Layout::ROOT, Slot::Row(0), &location.steps, &mut path, visitor);
}

fn walk(
    arena: &Arena<'_>,
    position: crate::plan::PositionId,
    value: Slot,
    steps: &[LocationStep],
    path: &mut Vec<PathSegment>,
    visitor: &mut dyn FnMut(u32, &[PathSegment]),
) {
    let row = match value {
        Slot::Row(row) if arena.is_object(position, row) => row,
        Slot::Rows { first, count } => {
            for index in 0..count {
                path.push(PathSegment::Index(index as usize));
                walk(arena, position, Slot::Row(first + index), steps, path, visitor);
                path.pop();
            }
            return;
        }
        Slot::Items { first, count } => {
            for index in 0..count {
                path.push(PathSegment::Index(index as usize));
                walk(arena, position, arena.item(first + index), steps, path, visitor);
                path.pop();
            }
            return;
        }
        _ => return,
    };
    match steps.split_first() {
        None => visitor(row, path),
        Some((LocationStep::Each, rest)) => {
            walk(arena, position, value, rest, path, visitor);
        }
        Some((LocationStep::Types(types), rest)) => {
            if is_any_of(arena.get(position, row, TYPE_SLOT), types) {
                walk(arena, position, value, rest, path, visitor);
            }
        }
        Some((LocationStep::Key { key, slot, child }, rest)) => {
            path.push(PathSegment::Key(key.clone()));
            walk(arena, *child, arena.get(position, row, *slot), rest, path, visitor);
            path.pop();
        }
    }
}
