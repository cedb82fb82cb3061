//! A client's operation: parsed, validated against the specification, and normalised.
//!
//! Later stages accept only the normalised `SelectionSet`. Documents that are too long, too deep, or hold too much are refused
//! before anything walks them that takes long.

mod around;
mod conditions;
mod consequences;
mod defer;
mod descriptions;
mod document;
mod error;
mod limits;
mod normalise;
mod one_of;
mod selection;
mod stream_overlaps;
mod stream_rules;
mod variables;

pub(crate) use around::Around;
pub(crate) use conditions::Conditions;
pub(crate) use defer::{DeferSet, DeferUsage, InitialCount, StreamUsage};
pub(crate) use document::Document;
pub use document::OperationKind;
pub use error::{RequestError, RequestErrorCode};
pub use limits::{Limit, OperationLimits};
pub(crate) use normalise::{Normalised, is_for_subgraphs, normalise};
pub(crate) use selection::{Field, SelectionSet, merge_directives, merge_fields};
pub use variables::Variables;
pub(crate) use variables::coerce_variables;
