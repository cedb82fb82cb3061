//! One subgraph: from SDL text to the model that all later stages work on.
//!
//! [`Subgraph`] exists only for valid GraphQL whose federation directives have their canonical names, whose root
//! types are called `Query`, `Mutation` and `Subscription`, and which uses nothing that composition does not handle.

mod described;
mod extract;
mod field_set;
mod link;
mod model;
mod normalise;
mod parse;
mod reserved;
mod spec;

pub(crate) use extract::index_field_sets;
pub(crate) use field_set::{FieldSet, field_set_targets};
pub(crate) use model::{
    EnumValue, External, Field, InputValue, Key, Kind, Marks, ROOTS, Subgraph, TypeDef, Version,
    is_built_in_scalar,
};
pub(crate) use parse::parse_all;
