//! Reads an object of an answer straight into the arena, as an [`ObjectReader`] expects it.
//!
//! Keys are expected in the order of the selection, as the GraphQL specification has it (section 7.2.2): then each costs one
//! comparison. Others are looked for; what was not asked for is passed. A key that repeats has its last value.

use crate::execute::arena::{Arena, Slot, count};
use crate::plan::{FieldReader, Layout, ObjectReader, TYPE_SLOT, TypeId, ValueReader};

use super::{JsonError, Scanner, unescaped};

/// Reads the object that `scanner` is at; `text` is the number of its text in the arena. It gives the object's slot, null or
/// invalid where it is none.
pub(crate) fn read_object(
    scanner: &mut Scanner<'_>,
    text: u16,
    layout: &Layout,
    reader: &ObjectReader,
    arena: &mut Arena<'_>,
) -> Result<Slot, JsonError> {
    Reading { scanner, text, layout, arena, last_type: None, items: Vec::new() }.objects(0, reader)
}

struct Reading<'r, 't, 'a> {
    scanner: &'r mut Scanner<'t>,
    text: u16,
    layout: &'r Layout,
    arena: &'r mut Arena<'a>,
    /// The type of the last object: the next one often has the same.
    last_type: Option<(&'t [u8], TypeId)>,
    /// The items of the lists of lists being read.
    items: Vec<Slot>,
}

impl Reading<'_, '_, '_> {
    /// Reads objects in so many lists. The depth of the recursion is that of the reader.
    fn objects(&mut self, lists: usize, reader: &ObjectReader) -> Result<Slot, JsonError> {
        match (self.scanner.peek(), lists) {
            (b'{', 0) => self.object(reader).map(Slot::Row),
            (b'[', 1) => self.list(reader),
            (b'[', 2..) => self.list_of_lists(lists, reader),
            (b'n', _) => self.scanner.literal(b"null").map(|_| Slot::Null),
            _ => self.scanner.value().map(|_| Slot::Invalid),
        }
    }

    fn list(&mut self, reader: &ObjectReader) -> Result<Slot, JsonError> {
        let first = self.arena.rows(reader.position);
        self.scanner.pass();
        if self.scanner.peek() == b']' {
            self.scanner.pass();
            return Ok(Slot::Rows { first, count: 0 });
        }
        loop {
            match self.objects(0, reader)? {
                Slot::Row(_) => {}
                other => {
                    let row = self.arena.add_row(reader.position);
                    self.arena.set(reader.position, row, TYPE_SLOT, other);
                }
            }
            if !self.scanner.goes_on(b']')? {
                let count = self.arena.rows(reader.position) - first;
                return Ok(Slot::Rows { first, count });
            }
        }
    }

    fn list_of_lists(&mut self, lists: usize, reader: &ObjectReader) -> Result<Slot, JsonError> {
        let base = self.items.len();
        self.scanner.pass();
        if self.scanner.peek() == b']' {
            self.scanner.pass();
        } else {
            loop {
                let item = self.objects(lists - 1, reader)?;
                self.items.push(item);
                if !self.scanner.goes_on(b']')? {
                    break;
                }
            }
        }
        let list = self.arena.add_items(&self.items[base..]);
        self.items.truncate(base);
        Ok(list)
    }

    fn object(&mut self, reader: &ObjectReader) -> Result<u32, JsonError> {
        let row = self.arena.add_row(reader.position);
        self.scanner.pass();
        if self.scanner.peek() == b'}' {
            self.scanner.pass();
            return Ok(row);
        }
        let mut next = 0;
        loop {
            match self.field(&reader.fields, &mut next)? {
                Some(field) => {
                    let value = self.value(&field.value)?;
                    self.arena.set(reader.position, row, field.slot, value);
                }
                None => {
                    self.scanner.value()?;
                }
            }
            if !self.scanner.goes_on(b'}')? {
                return Ok(row);
            }
        }
    }

    /// Passes a key. The field it belongs to is probably the next.
    #[inline]
    fn field<'f>(
        &mut self,
        fields: &'f [FieldReader],
        next: &mut usize,
    ) -> Result<Option<&'f FieldReader>, JsonError> {
        self.scanner.peek();
        if let Some(field) = fields.get(*next)
            && self.scanner.pass_if(field.written_key.as_bytes())
        {
            *next += 1;
            return Ok(Some(field));
        }
        let key = self.scanner.key()?;
        let key = unescaped(key);
        Ok(find(fields, next, |field| field.key().as_bytes() == &*key))
    }

    #[inline]
    fn value(&mut self, reader: &ValueReader) -> Result<Slot, JsonError> {
        match reader {
            ValueReader::Leaf => self.leaf(),
            ValueReader::TypeName => self.type_name(),
            ValueReader::Objects { lists, object } => self.objects(*lists, object),
        }
    }

    #[inline]
    fn leaf(&mut self) -> Result<Slot, JsonError> {
        if self.scanner.peek() == b'n' {
            return self.scanner.literal(b"null").map(|_| Slot::Null);
        }
        let range = self.scanner.value()?;
        Ok(Slot::Text { text: self.text, start: count(range.start), length: count(range.len()) })
    }

    fn type_name(&mut self) -> Result<Slot, JsonError> {
        let slot = self.leaf()?;
        let Slot::Text { start, length, .. } = slot else {
            return Ok(Slot::Absent);
        };
        let name = self.scanner.slice(start as usize..(start + length) as usize);
        if let Some((last, id)) = self.last_type
            && last == name
        {
            return Ok(Slot::Type(id));
        }
        let decoded = unescaped(name);
        let known = std::str::from_utf8(&decoded).ok().and_then(|name| self.layout.type_id(name));
        Ok(match known {
            Some(id) => {
                self.last_type = Some((name, id));
                Slot::Type(id)
            }
            None => slot,
        })
    }
}

/// Looks for a field from the expected one on, then from the beginning.
pub(crate) fn find<'f>(
    fields: &'f [FieldReader],
    next: &mut usize,
    is_it: impl Fn(&FieldReader) -> bool,
) -> Option<&'f FieldReader> {
    let (before, after) = fields.split_at((*next).min(fields.len()));
    let index = match after.iter().position(&is_it) {
        Some(offset) => before.len() + offset,
        None => before.iter().position(&is_it)?,
    };
    *next = index + 1;
    fields.get(index)
}
