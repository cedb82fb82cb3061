//! Takes the key of a map, which must be a string.

use serde::ser::{Error as _, Impossible, Serialize, Serializer};
use serde_json::Error;

/// Hands a key on.
pub(super) struct Key<F: FnOnce(&str)>(pub(super) F);

fn refused<T>() -> Result<T, Error> {
    Err(Error::custom("the name of a field must be a string"))
}

/// Methods of a serialiser for what is no string.
macro_rules! refused {
    ($($method:ident($($argument:ty),*) -> $result:ty),* $(,)?) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$result, Error> {
            refused()
        })*
    };
}

impl<F: FnOnce(&str)> Serializer for Key<F> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_str(self, key: &str) -> Result<(), Error> {
        self.0(key);
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        refused()
    }

    refused! {
        serialize_bool(bool) -> (), serialize_char(char) -> (),
        serialize_f32(f32) -> (), serialize_f64(f64) -> (),
        serialize_i8(i8) -> (), serialize_i16(i16) -> (),
        serialize_i32(i32) -> (), serialize_i64(i64) -> (),
        serialize_u8(u8) -> (), serialize_u16(u16) -> (),
        serialize_u32(u32) -> (), serialize_u64(u64) -> (),
        serialize_bytes(&[u8]) -> (), serialize_none() -> (), serialize_unit() -> (),
        serialize_unit_struct(&'static str) -> (),
        serialize_seq(Option<usize>) -> Self::SerializeSeq,
        serialize_tuple(usize) -> Self::SerializeTuple,
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct,
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeTupleVariant,
        serialize_map(Option<usize>) -> Self::SerializeMap,
        serialize_struct(&'static str, usize) -> Self::SerializeStruct,
        serialize_struct_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeStructVariant,
    }
}
