//! One subgraph: from SDL text to the model that all later stages work on.
//!
//! [`Subgraph`] exists only for valid GraphQL whose federation directives have their canonical names, whose root
//! types are called `Query`, `Mutation` and `Subscription`, and which uses nothing that composition does not handle.

mod composed;
mod contexts;
mod described;
mod extract;
mod field_set;
mod link;
mod links;
mod marks;
mod model;
mod normalise;
mod parse;
mod repeated;
mod reserved;
mod spec;

pub(crate) use extract::{directive_arguments, index_field_sets};
pub(crate) use field_set::{FieldSet, field_set_targets};
pub(crate) use link::{Import, Link};
pub(crate) use marks::{Access, AnyOf, ListSize, Marks};
pub(crate) use model::{
    EnumValue, External, Field, InputValue, Key, Kind, ROOTS, Subgraph, TypeDef, Version,
    is_built_in_scalar,
};
pub(crate) use parse::parse_all;
pub(crate) use spec::COMPOSED;
