//! What was fetched so far: a table of rows for each position of the plan's layout, and the texts that their slots point into.
//!
//! A slot is a few bytes that are copied freely. A leaf is a piece of the JSON text in which it was received, with its quotes and
//! escapes, never decoded; so merging copies slots, and the answer copies text. Objects of one list are rows that follow each other.

use bytes::Bytes;

use crate::plan::{Layout, ObjectReader, Position, PositionId, TYPE_SLOT, TypeId};

/// What stands under a key of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Slot {
    /// Nobody answered the key.
    #[default]
    Absent,
    Null,
    /// A leaf: valid JSON text, but not `null`.
    Text {
        text: u16,
        start: u32,
        length: u32,
    },
    /// The type of an object, in the type's slot.
    Type(TypeId),
    /// An object at the position of the slot's objects.
    Row(u32),
    /// A list of objects: rows that follow each other. A row whose type's slot is `Null` or `Invalid` stands for that.
    Rows {
        first: u32,
        count: u32,
    },
    /// A list of lists of objects: items that follow each other.
    Items {
        first: u32,
        count: u32,
    },
    /// Something else where objects belong.
    Invalid,
}

impl Slot {
    /// Whether another value takes its place.
    fn yields(self) -> bool {
        match self {
            Self::Absent | Self::Null => true,
            Self::Type(ty) => ty.stands_in(),
            _ => false,
        }
    }
}

/// The rows of one position.
#[derive(Debug)]
struct Table {
    width: usize,
    slots: Vec<Slot>,
}

/// Everything that was fetched for one operation.
#[derive(Debug)]
pub(crate) struct Arena<'a> {
    positions: &'a [Position],
    tables: Vec<Table>,
    items: Vec<Slot>,
    /// The text that was written here: text 0.
    pub(crate) written: Vec<u8>,
    /// The texts that were received: from 1 on.
    received: Vec<Bytes>,
}

/// How many texts there can be.
const MAX_TEXTS: usize = u16::MAX as usize;

impl<'a> Arena<'a> {
    /// An arena with a row for the operation's root.
    pub(crate) fn new(layout: &'a Layout) -> Self {
        let positions = layout.positions();
        let table = |position: &Position| Table { width: position.width(), slots: Vec::new() };
        let mut arena = Self {
            positions,
            tables: positions.iter().map(table).collect(),
            items: Vec::new(),
            written: Vec::new(),
            received: Vec::new(),
        };
        arena.add_row(Layout::ROOT);
        arena
    }

    /// Takes in a text, for slots to point into. None when it is too large or there are too many.
    pub(crate) fn add_text(&mut self, text: Bytes) -> Option<u16> {
        if self.received.len() >= MAX_TEXTS || u32::try_from(text.len()).is_err() {
            return None;
        }
        self.received.push(text);
        u16::try_from(self.received.len()).ok()
    }

    /// A leaf that was written to the end of `written`, from `start` on. None when too much was written.
    pub(crate) fn written_since(&self, start: usize) -> Option<Slot> {
        let length = u32::try_from(self.written.len() - start).ok()?;
        Some(Slot::Text { text: 0, start: u32::try_from(start).ok()?, length })
    }

    /// The JSON text of a leaf; empty for everything else.
    pub(crate) fn text(&self, slot: Slot) -> &[u8] {
        let Slot::Text { text, start, length } = slot else {
            return b"";
        };
        let text = match usize::from(text).checked_sub(1) {
            Some(index) => &self.received[index][..],
            None => &self.written[..],
        };
        &text[start as usize..][..length as usize]
    }

    /// How many rows a position has.
    pub(crate) fn rows(&self, position: PositionId) -> u32 {
        let table = &self.tables[position.index()];
        count(table.slots.len() / table.width)
    }

    /// Adds a row in which nothing is.
    pub(crate) fn add_row(&mut self, position: PositionId) -> u32 {
        let table = &mut self.tables[position.index()];
        let row = table.slots.len() / table.width;
        table.slots.resize(table.slots.len() + table.width, Slot::Absent);
        count(row)
    }

    pub(crate) fn get(&self, position: PositionId, row: u32, slot: usize) -> Slot {
        self.row(position, row)[slot]
    }

    /// All slots of a row.
    pub(crate) fn row(&self, position: PositionId, row: u32) -> &[Slot] {
        let table = &self.tables[position.index()];
        &table.slots[row as usize * table.width..][..table.width]
    }

    pub(crate) fn set(&mut self, position: PositionId, row: u32, slot: usize, value: Slot) {
        let table = &mut self.tables[position.index()];
        table.slots[row as usize * table.width..][..table.width][slot] = value;
    }

    /// Whether a row is an object, not a list's item of another kind.
    pub(crate) fn is_object(&self, position: PositionId, row: u32) -> bool {
        !matches!(self.get(position, row, TYPE_SLOT), Slot::Null | Slot::Invalid)
    }

    /// Puts items one after the other and gives their list.
    pub(crate) fn add_items(&mut self, items: &[Slot]) -> Slot {
        let first = count(self.items.len());
        self.items.extend_from_slice(items);
        Slot::Items { first, count: count(items.len()) }
    }

    pub(crate) fn item(&self, index: u32) -> Slot {
        self.items[index as usize]
    }

    /// Adds what the row `source` has to the row `target` of the same position: objects slot by slot, lists item by item. Where
    /// both have a value the first stays, but an object's type that only stands in for it. What is inside `source` is shared from now on.
    pub(crate) fn merge(&mut self, position: PositionId, target: u32, source: u32) {
        if target == source || !self.is_object(position, source) {
            return;
        }
        match self.get(position, target, TYPE_SLOT) {
            Slot::Invalid => return,
            Slot::Null => self.set(position, target, TYPE_SLOT, Slot::Absent),
            _ => {}
        }
        for slot in 0..self.tables[position.index()].width {
            let theirs = self.get(position, source, slot);
            if theirs != Slot::Absent {
                let mine = self.get(position, target, slot);
                let child = self.positions[position.index()].child(slot);
                let merged = self.merge_slots(child, mine, theirs);
                self.set(position, target, slot, merged);
            }
        }
    }

    fn merge_slots(&mut self, child: Option<PositionId>, mine: Slot, theirs: Slot) -> Slot {
        match (child, mine, theirs) {
            (_, mine, theirs) if mine.yields() => return theirs,
            (Some(child), Slot::Row(mine), Slot::Row(theirs)) => self.merge(child, mine, theirs),
            (
                Some(child),
                Slot::Rows { first: mine, count },
                Slot::Rows { first: theirs, count: others },
            ) => {
                for index in 0..count.min(others) {
                    self.merge(child, mine + index, theirs + index);
                }
            }
            (
                Some(_),
                Slot::Items { first: mine, count },
                Slot::Items { first: theirs, count: others },
            ) => {
                for index in 0..count.min(others) {
                    let place = (mine + index) as usize;
                    let merged =
                        self.merge_slots(child, self.items[place], self.item(theirs + index));
                    self.items[place] = merged;
                }
            }
            _ => {}
        }
        mine
    }

    /// Adds what the fields of `reader` have in the row `source` to the row `target`, as [`merge`](Self::merge) does for all.
    pub(crate) fn merge_fields(&mut self, reader: &ObjectReader, target: u32, source: u32) {
        let position = reader.position;
        if !self.is_object(position, source) || !self.is_object(position, target) {
            return;
        }
        for field in &reader.fields {
            let theirs = self.get(position, source, field.slot);
            let mine = self.get(position, target, field.slot);
            let merged = match (mine, theirs) {
                (_, Slot::Absent) => continue,
                (mine, theirs) if mine.yields() => theirs,
                _ => {
                    let child = self.positions[position.index()].child(field.slot);
                    self.merge_slots(child, mine, theirs)
                }
            };
            self.set(position, target, field.slot, merged);
        }
    }

    /// A copy of a row, and of all that is inside it.
    pub(crate) fn copy_row(&mut self, position: PositionId, source: u32) -> u32 {
        let row = self.add_row(position);
        self.fill_row(position, row, source);
        row
    }

    fn fill_row(&mut self, position: PositionId, row: u32, source: u32) {
        for slot in 0..self.tables[position.index()].width {
            let child = self.positions[position.index()].child(slot);
            let value = self.get(position, source, slot);
            let copy = self.copy_slot(child, value);
            self.set(position, row, slot, copy);
        }
    }

    fn copy_slot(&mut self, child: Option<PositionId>, value: Slot) -> Slot {
        match (child, value) {
            (Some(child), Slot::Row(source)) => Slot::Row(self.copy_row(child, source)),
            (Some(child), Slot::Rows { first, count }) => {
                let copy = self.rows(child);
                for index in 0..count {
                    self.copy_row(child, first + index);
                }
                Slot::Rows { first: copy, count }
            }
            (Some(_), Slot::Items { first, count }) => {
                let copies: Vec<Slot> = (0..count)
                    .map(|index| self.copy_slot(child, self.item(first + index)))
                    .collect();
                self.add_items(&copies)
            }
            (_, value) => value,
        }
    }
}

/// How far an arena was filled.
#[derive(Debug)]
pub(crate) struct Mark {
    rows: Vec<usize>,
    items: usize,
    written: usize,
}

impl Arena<'_> {
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            rows: self.tables.iter().map(|table| table.slots.len()).collect(),
            items: self.items.len(),
            written: self.written.len(),
        }
    }

    /// Drops the rows of `position` that were added since, to which nothing may point.
    pub(crate) fn reset_rows(&mut self, mark: &Mark, position: PositionId) {
        let index = position.index();
        self.tables[index].slots.truncate(mark.rows[index]);
    }

    /// Drops what was added since, which nothing older may point to.
    pub(crate) fn reset(&mut self, mark: &Mark) {
        for (table, &length) in self.tables.iter_mut().zip(&mark.rows) {
            table.slots.truncate(length);
        }
        self.items.truncate(mark.items);
        self.written.truncate(mark.written);
    }
}

/// Lengths in an arena fit 32 bits: each row and item takes at least a byte of a text that does.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
pub(crate) fn count(length: usize) -> u32 {
    length as u32
}
