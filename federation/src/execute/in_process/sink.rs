//! Reads the answer of a subgraph in this process: the engine is the serialiser of whatever value it gave.
//!
//! Objects that were asked for become rows as they do when read from JSON; leaves are written as JSON text at once, so that from
//! here on it does not matter how an answer came.

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple,
    SerializeTupleStruct, Serializer,
};
use serde_json::Error;

use crate::plan::{FieldReader, Layout, ObjectReader, TYPE_SLOT, ValueReader};

use super::Key;
use crate::execute::arena::{Arena, Slot, count};
use crate::execute::json;

/// Where a value goes.
pub(crate) struct Sink<'r, 'a> {
    pub(crate) layout: &'r Layout,
    pub(crate) arena: &'r mut Arena<'a>,
    pub(crate) kind: Kind<'r>,
}

/// What a value is expected to be.
#[derive(Clone, Copy)]
pub(crate) enum Kind<'r> {
    TypeName,
    Leaf,
    /// Objects in so many lists.
    Objects(usize, &'r ObjectReader),
}

impl<'r> From<&'r ValueReader> for Kind<'r> {
    fn from(reader: &'r ValueReader) -> Self {
        match reader {
            ValueReader::TypeName => Self::TypeName,
            ValueReader::Leaf => Self::Leaf,
            ValueReader::Objects { lists, object } => Self::Objects(*lists, object),
        }
    }
}

impl<'r, 'a> Sink<'r, 'a> {
    /// The same sink for a value inside.
    fn inner<'s>(&'s mut self, kind: Kind<'s>) -> Sink<'s, 'a> {
        Sink { layout: self.layout, arena: self.arena, kind }
    }

    /// A leaf that `serde_json` writes.
    fn leaf(self, value: &(impl Serialize + ?Sized)) -> Result<Slot, Error> {
        match self.kind {
            Kind::Objects(..) => Ok(Slot::Invalid),
            Kind::TypeName | Kind::Leaf => {
                let start = self.arena.written.len();
                serde_json::to_writer(&mut self.arena.written, value)?;
                self.written(start)
            }
        }
    }

    /// The leaf that was written from `start` on. Numbers that JSON has no form for are written as null.
    fn written(self, start: usize) -> Result<Slot, Error> {
        if &self.arena.written[start..] == b"null" {
            return Ok(Slot::Null);
        }
        self.arena.written_since(start).ok_or_else(|| Error::custom("the answer is too large"))
    }
}

/// Methods of a serialiser for values that are leaves whatever they are.
macro_rules! scalars {
    ($($method:ident: $ty:ty),* $(,)?) => {
        $(fn $method(self, value: $ty) -> Result<Slot, Error> {
            self.leaf(&value)
        })*
    };
}

impl<'r, 'a> Serializer for Sink<'r, 'a> {
    type Ok = Slot;
    type Error = Error;
    type SerializeSeq = List<'r, 'a>;
    type SerializeTuple = List<'r, 'a>;
    type SerializeTupleStruct = List<'r, 'a>;
    type SerializeTupleVariant = Impossible<Slot, Error>;
    type SerializeMap = Fields<'r, 'a>;
    type SerializeStruct = Fields<'r, 'a>;
    type SerializeStructVariant = Impossible<Slot, Error>;

    scalars! {
        serialize_bool: bool, serialize_char: char, serialize_f32: f32, serialize_f64: f64,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
    }

    fn serialize_str(self, value: &str) -> Result<Slot, Error> {
        match self.kind {
            Kind::Objects(..) => Ok(Slot::Invalid),
            Kind::TypeName => match self.layout.type_id(value) {
                Some(id) => Ok(Slot::Type(id)),
                None => self.leaf(value),
            },
            Kind::Leaf => {
                let start = self.arena.written.len();
                json::write_string(&mut self.arena.written, value);
                self.written(start)
            }
        }
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Slot, Error> {
        self.leaf(value)
    }

    fn serialize_none(self) -> Result<Slot, Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Slot, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Slot, Error> {
        Ok(match self.kind {
            Kind::TypeName => Slot::Absent,
            Kind::Leaf | Kind::Objects(..) => Slot::Null,
        })
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Slot, Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Slot, Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Slot, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Slot, Error> {
        let mut map = self.serialize_map(Some(1))?;
        map.serialize_entry(variant, value)?;
        SerializeMap::end(map)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'r, 'a>, Error> {
        Ok(List::new(self))
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'r, 'a>, Error> {
        Ok(List::new(self))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'r, 'a>, Error> {
        Ok(List::new(self))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(Error::custom("a variant of several values is no GraphQL value"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'r, 'a>, Error> {
        Ok(Fields::new(self))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'r, 'a>, Error> {
        Ok(Fields::new(self))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error::custom("a variant of several values is no GraphQL value"))
    }
}

/// A list being read.
pub(crate) struct List<'r, 'a> {
    sink: Sink<'r, 'a>,
    /// Where in the written text it begins, or which is its first row.
    start: usize,
    /// The items of a list of lists.
    items: Vec<Slot>,
}

impl<'r, 'a> List<'r, 'a> {
    fn new(sink: Sink<'r, 'a>) -> Self {
        let start = match sink.kind {
            Kind::Objects(_, reader) => sink.arena.rows(reader.position) as usize,
            Kind::TypeName | Kind::Leaf => {
                sink.arena.written.push(b'[');
                sink.arena.written.len() - 1
            }
        };
        Self { sink, start, items: Vec::new() }
    }

    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
        match self.sink.kind {
            // Where no list was asked for it is invalid, whatever is in it.
            Kind::Objects(0, _) => {}
            Kind::Objects(1, reader) => {
                let item = item.serialize(self.sink.inner(Kind::Objects(0, reader)))?;
                if !matches!(item, Slot::Row(_)) {
                    let row = self.sink.arena.add_row(reader.position);
                    self.sink.arena.set(reader.position, row, TYPE_SLOT, item);
                }
            }
            Kind::Objects(lists, reader) => {
                let item = item.serialize(self.sink.inner(Kind::Objects(lists - 1, reader)))?;
                self.items.push(item);
            }
            Kind::TypeName | Kind::Leaf => {
                let written = &mut self.sink.arena.written;
                if written.len() > self.start + 1 {
                    written.push(b',');
                }
                serde_json::to_writer(written, item)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Slot, Error> {
        match self.sink.kind {
            Kind::Objects(0, _) => Ok(Slot::Invalid),
            Kind::Objects(1, reader) => {
                let first = count(self.start);
                let rows = self.sink.arena.rows(reader.position) - first;
                Ok(Slot::Rows { first, count: rows })
            }
            Kind::Objects(..) => Ok(self.sink.arena.add_items(&self.items)),
            Kind::TypeName | Kind::Leaf => {
                self.sink.arena.written.push(b']');
                self.sink.written(self.start)
            }
        }
    }
}

impl SerializeSeq for List<'_, '_> {
    type Ok = Slot;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
        self.item(item)
    }

    fn end(self) -> Result<Slot, Error> {
        self.finish()
    }
}

impl SerializeTuple for List<'_, '_> {
    type Ok = Slot;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
        self.item(item)
    }

    fn end(self) -> Result<Slot, Error> {
        self.finish()
    }
}

impl SerializeTupleStruct for List<'_, '_> {
    type Ok = Slot;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
        self.item(item)
    }

    fn end(self) -> Result<Slot, Error> {
        self.finish()
    }
}

/// An object being read.
pub(crate) struct Fields<'r, 'a> {
    sink: Sink<'r, 'a>,
    /// Where in the written text it begins, or its row.
    start: usize,
    /// The field that is expected next.
    next: usize,
    /// The field whose key was given last, if it was asked for.
    field: Option<&'r FieldReader>,
}

impl<'r, 'a> Fields<'r, 'a> {
    fn new(sink: Sink<'r, 'a>) -> Self {
        let start = match sink.kind {
            Kind::Objects(0, reader) => sink.arena.add_row(reader.position) as usize,
            Kind::Objects(..) => 0,
            Kind::TypeName | Kind::Leaf => {
                sink.arena.written.push(b'{');
                sink.arena.written.len() - 1
            }
        };
        Self { sink, start, next: 0, field: None }
    }

    fn key(&mut self, key: &str) {
        match self.sink.kind {
            Kind::Objects(0, reader) => {
                self.field = json::find(&reader.fields, &mut self.next, |field| field.key() == key);
            }
            Kind::Objects(..) => {}
            Kind::TypeName | Kind::Leaf => {
                let written = &mut self.sink.arena.written;
                if written.len() > self.start + 1 {
                    written.push(b',');
                }
                json::write_string(written, key);
                written.push(b':');
            }
        }
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        match (self.sink.kind, self.field) {
            (Kind::Objects(0, reader), Some(field)) => {
                let slot = value.serialize(self.sink.inner(Kind::from(&field.value)))?;
                let row = count(self.start);
                self.sink.arena.set(reader.position, row, field.slot, slot);
                Ok(())
            }
            (Kind::Objects(..), _) => Ok(()),
            (Kind::TypeName | Kind::Leaf, _) => {
                serde_json::to_writer(&mut self.sink.arena.written, value)
            }
        }
    }

    fn finish(self) -> Result<Slot, Error> {
        match self.sink.kind {
            Kind::Objects(0, _) => Ok(Slot::Row(count(self.start))),
            Kind::Objects(..) => Ok(Slot::Invalid),
            Kind::TypeName | Kind::Leaf => {
                self.sink.arena.written.push(b'}');
                self.sink.written(self.start)
            }
        }
    }
}

impl SerializeMap for Fields<'_, '_> {
    type Ok = Slot;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        key.serialize(Key(|key: &str| self.key(key)))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<Slot, Error> {
        self.finish()
    }
}

impl SerializeStruct for Fields<'_, '_> {
    type Ok = Slot;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.key(key);
        self.value(value)
    }

    fn end(self) -> Result<Slot, Error> {
        self.finish()
    }
}
