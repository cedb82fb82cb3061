//! Reads JSON text without decoding it: finds where each value begins and ends, and that all of it is valid (RFC 8259).

mod read;
mod scan;
mod write;

pub(super) use read::{find, read_object};
pub(super) use scan::{JsonError, Scanner, plain, unescaped};
pub(super) use write::{compacted, write_string};

#[cfg(test)]
mod tests;
