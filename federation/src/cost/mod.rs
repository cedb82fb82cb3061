//! What an operation costs: estimated before it runs, and counted from its answer.
//!
//! The rules are those of `@cost` and `@listSize` (<https://ibm.github.io/graphql-specs/cost-spec.html>,
//! <https://specs.apollo.dev/cost/v0.1/>): a field costs *n* × (its weight + what is selected on it) + its arguments, where *n* is how many
//! values it gives. A weight is that of the field, else of its type, else 1 for objects and input objects and 0 for leaves; a negative one
//! counts as 0. The client's operation is priced, not the plan: entities cost what the lists are long that they stand in, however many
//! fetches bring them.
//!
//! Steps: the operation becomes a `Formula` (`compile`), which is kept and evaluated with each request's variables (`formula`); the
//! projection adds up `Price`s as it writes. This module refuses only what `@listSize(requireOneSlicingArgument: true)` does.

mod argument;
mod compile;
mod formula;
mod price;
mod size;

pub(crate) use argument::ArgumentCost;
pub(crate) use formula::Formula;
pub(crate) use price::Price;

use crate::operation::OperationKind;

/// What a mutation costs besides its fields.
const MUTATION: f64 = 10.0;
/// What `__schema` or `__type` costs, with everything selected on it.
const INTROSPECTION: f64 = 10.0;

/// What is assumed where a supergraph does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostSettings {
    /// How many values a list without `@listSize` gives, and one whose `@listSize` knows no size for a request.
    pub list_size: u32,
}

impl Default for CostSettings {
    fn default() -> Self {
        Self { list_size: 10 }
    }
}

/// A field of an operation and what it adds to the operation's cost.
#[derive(Debug, Clone, PartialEq)]
pub struct DearField {
    /// Response keys with points between them.
    pub path: String,
    /// How often it is answered × its weight and arguments, without what is selected on it.
    pub cost: f64,
}

/// What an operation of a kind costs besides its fields.
pub(crate) const fn base(kind: OperationKind) -> f64 {
    match kind {
        OperationKind::Mutation => MUTATION,
        OperationKind::Query | OperationKind::Subscription => 0.0,
    }
}
