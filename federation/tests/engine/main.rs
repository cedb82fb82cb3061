//! Tests of the engine from outside: plans as snapshots, executions against mock subgraphs. One program, because linking
//! one is faster than linking many.

mod failures;
mod plans;
mod property;
mod refusals;
mod shop;
mod support;
mod tricky;
