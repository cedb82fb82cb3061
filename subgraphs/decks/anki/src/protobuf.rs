//! Reads Protocol Buffers' wire format: what the few messages of Anki's files need, and nothing of generated code.
//!
//! Unknown fields are passed over, as the format wants it. Groups, which it has given up, are refused.
//! <https://protobuf.dev/programming-guides/encoding/>

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("it ends within a field")]
    Ends,
    #[error("a number is longer than ten bytes")]
    LongVarint,
    #[error("field {0} has wire type {1}, which is not known")]
    WireType(u64, u8),
    #[error("field {0} is of another type")]
    Type(u64),
    #[error("field {0} is not UTF-8")]
    Utf8(u64),
    #[error("field {0} has not {1} bytes")]
    Length(u64, usize),
}

/// A field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) number: u64,
    value: Value<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

impl<'a> Field<'a> {
    pub(crate) fn number(self) -> Result<u64, Malformed> {
        match self.value {
            Value::Varint(number) => Ok(number),
            _ => Err(Malformed::Type(self.number)),
        }
    }

    pub(crate) fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed::Type(self.number)),
        }
    }

    pub(crate) fn text(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed::Utf8(self.number))
    }
}

/// The fields of a message, in the order of its bytes. It ends after the first error.
pub(crate) struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let [byte] = *self.take(1)? else {
                return Err(Malformed::Ends);
            };
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed::LongVarint)
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], Malformed> {
        let count = usize::try_from(count).map_err(|_| Malformed::Ends)?;
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed::Ends)?;
        self.0 = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<Field<'a>, Malformed> {
        let key = self.varint()?;
        let number = key >> 3;
        let value = match (key & 7) as u8 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            other => return Err(Malformed::WireType(number, other)),
        };
        Ok(Field { number, value })
    }
}

impl<'a> Iterator for Message<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_order() {
        // 1: 150; 2: "testing"; 3 (fixed32); 4 (fixed64); as in the format's own examples.
        let mut bytes = vec![0x08, 0x96, 0x01, 0x12, 0x07];
        bytes.extend(b"testing");
        bytes.extend([0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8]);
        let fields: Vec<_> = Message::new(&bytes).collect::<Result<_, _>>().unwrap();
        assert_eq!(fields[0].number(), Ok(150));
        assert_eq!(fields[1].text(), Ok("testing"));
        assert_eq!(fields[1].number(), Err(Malformed::Type(2)));
        assert_eq!(fields.iter().map(|field| field.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn what_is_cut_off_or_unknown_is_refused() {
        let cases: [(&[u8], Malformed); 5] = [
            (&[0x08], Malformed::Ends),
            (&[0x0a, 0x05, 1], Malformed::Ends),
            (&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Malformed::Ends),
            (&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255], Malformed::LongVarint),
            (&[0x0b], Malformed::WireType(1, 3)),
        ];
        for (bytes, expected) in cases {
            let mut message = Message::new(bytes);
            assert_eq!(message.next(), Some(Err(expected)), "{bytes:x?}");
            assert_eq!(message.next(), None);
        }
        let not_text = [0x0a, 1, 0xff];
        let field = Message::new(&not_text).next().unwrap().unwrap();
        assert_eq!(field.text(), Err(Malformed::Utf8(1)));
    }
}
