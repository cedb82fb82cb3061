//! Tests of the engine from outside: plans as snapshots, executions against mock subgraphs. One program, because linking
//! one is faster than linking many.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod abstract_types;
mod answers;
mod authorise;
mod cost;
mod failures;
mod generated;
mod incremental;
mod introspection;
mod plans;
mod property;
mod refusals;
mod scenarios;
mod shop;
mod subscriptions;
mod support;
mod tricky;
