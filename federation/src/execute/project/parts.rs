//! What of an answer is left out to be delivered later, and how that is written by itself: the fields of deferred fragments, and the
//! items of streamed lists beyond the first. Lists of leaves are not delivered in parts.

use std::ops::Range;

use crate::operation::{DeferSet, InitialCount, StreamUsage};
use crate::plan::{ObjectFields, Output, PositionId};
use crate::value::{Object, Value};

use super::{Owner, Path, Projection, Propagate};
use crate::execute::PathSegment;
use crate::execute::arena::Slot;

/// What is to be delivered later.
#[derive(Default)]
pub(super) struct Later<'s> {
    found: Vec<Found<'s>>,
}

/// A part of the answer that was left out, and where it belongs.
#[derive(Debug)]
pub(in crate::execute) struct Found<'s> {
    pub(in crate::execute) path: Vec<PathSegment>,
    /// The deferred fragments around it.
    pub(in crate::execute) within: DeferSet,
    pub(in crate::execute) part: Part<'s>,
}

/// What was left out.
#[derive(Debug)]
pub(in crate::execute) enum Part<'s> {
    /// The fields of an object that belong to these deferred fragments.
    Fields { of: DeferSet, shape: &'s ObjectFields, position: PositionId, row: u32 },
    /// The items of a list from an index on.
    Items { owner: Owner<'s>, stream: &'s StreamUsage, list: Slot, from: u32 },
}

impl<'a, 's> Projection<'a, 's> {
    /// Leaves out what is to be delivered later.
    pub(in crate::execute) fn in_parts(mut self) -> Self {
        self.later = Some(Later::default());
        self
    }

    /// What was left out so far.
    pub(in crate::execute) fn found(&mut self) -> Vec<Found<'s>> {
        self.later.as_mut().map(|later| std::mem::take(&mut later.found)).unwrap_or_default()
    }

    /// Writes a part that was left out. Nothing comes of it when a null reaches the part's own place.
    pub(in crate::execute) fn part(&mut self, found: &Found<'s>) -> bool {
        let path = Path::Given(&found.path);
        let written = match found.part {
            Part::Fields { of, shape, position, row } => {
                self.part = of;
                self.fields_of_part(shape, position, row, &path)
            }
            Part::Items { owner, list, from, .. } => {
                self.part = found.within;
                self.items(owner, list, from, &path)
            }
        };
        if written.is_err() {
            drop(self.found());
        }
        written.is_ok()
    }

    /// Notes which of an object's fields are for later.
    pub(super) fn leave_fields(
        &mut self,
        shape: &'s ObjectFields,
        position: PositionId,
        row: u32,
        path: &Path<'_>,
    ) {
        let Some(later) = &mut self.later else { return };
        let sets = shape.defers.iter().filter(|&&set| set != self.part);
        later.found.extend(sets.map(|&of| Found {
            path: path.to_segments(),
            within: self.part,
            part: Part::Fields { of, shape, position, row },
        }));
    }

    pub(super) fn found_so_far(&self) -> usize {
        self.later.as_ref().map_or(0, |later| later.found.len())
    }

    /// Forgets what was left out of something that became null.
    pub(super) fn forget_found_since(&mut self, count: usize) {
        if let Some(later) = &mut self.later {
            later.found.truncate(count);
        }
    }

    /// Writes the items of a field's list that are not for later.
    pub(super) fn first_items(
        &mut self,
        owner: Owner<'s>,
        list: Slot,
        path: &Path<'_>,
    ) -> Result<(), Propagate> {
        let (Slot::Rows { count, .. } | Slot::Items { count, .. }) = list else {
            return Err(self.not_a_list(path, owner));
        };
        let mut shown = count;
        if let (Some(stream), Some(later)) = (&owner.field.stream, &mut self.later) {
            shown = count.min(initial_count(stream, &self.started.variables));
            if shown < count {
                later.found.push(Found {
                    path: path.to_segments(),
                    within: self.part,
                    part: Part::Items { owner, stream, list, from: shown },
                });
            }
        }
        self.range(owner, list, 0..shown, path)
    }

    /// Writes the items of a field's list from an index on.
    fn items(
        &mut self,
        owner: Owner<'s>,
        list: Slot,
        from: u32,
        path: &Path<'_>,
    ) -> Result<(), Propagate> {
        match list {
            Slot::Rows { count, .. } | Slot::Items { count, .. } => {
                self.range(owner, list, from..count, path)
            }
            _ => Err(self.not_a_list(path, owner)),
        }
    }

    fn range(
        &mut self,
        owner: Owner<'s>,
        list: Slot,
        range: Range<u32>,
        path: &Path<'_>,
    ) -> Result<(), Propagate> {
        let (Some(wrap), Output::Object(position, shape)) =
            (&owner.field.wrap.item, &owner.field.output)
        else {
            return Err(self.not_a_list(path, owner));
        };
        if wrap.item.is_none() {
            self.count_items(owner, range.end - range.start);
        }
        self.out.push(b'[');
        for index in range.clone() {
            if index > range.start {
                self.out.push(b',');
            }
            let item = match list {
                Slot::Rows { first, .. } => Slot::Row(first + index),
                Slot::Items { first, .. } => self.arena.item(first + index),
                _ => Slot::Absent,
            };
            let path = Path::Index(path, index as usize);
            self.objects(wrap, shape, *position, item, &path, owner)?;
        }
        self.out.push(b']');
        Ok(())
    }
}

/// How many items of a list are delivered at once.
fn initial_count(stream: &StreamUsage, variables: &Object) -> u32 {
    let count = match &stream.initial {
        InitialCount::Fixed(count) => *count,
        InitialCount::Variable(name) => match variables.get(name) {
            Some(Value::Int(count)) => usize::try_from(*count).unwrap_or_default(),
            _ => 0,
        },
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}
