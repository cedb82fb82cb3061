//! The parts of the table of `ownership.rs` that are too long to stand in it, by what their fields are about.

pub(crate) mod collections;
pub(crate) mod generation;
pub(crate) mod learning;
pub(crate) mod sharing;
pub(crate) mod transfers;
