//! Satisfiability: every query that the supergraph allows can be answered, whatever path led to where it asks.
//!
//! A state is an object type with the set of places (subgraph, and what a `@provides` adds there) where a value of
//! it can be had after following all keys. From each root, [`walk`] visits every state once; a state whose places
//! include those of a visited one cannot fail where that one did not, and is skipped. [`resolve`] answers what can
//! be had from a set of places, [`explain`] says for people why something cannot.

mod explain;
mod places;
mod resolve;
mod walk;

use super::diagnostic::{Code, Report};
use super::merge::Supergraph;
use super::subgraph::Subgraph;
use places::Schemas;
use walk::Walk;

/// More would hide what is common to them.
const MAX_REPORTED: usize = 100;

/// Checks that every field that clients see can be reached. `subgraphs` are those that `supergraph` was merged from.
pub(super) fn validate_satisfiability(
    supergraph: &Supergraph,
    subgraphs: &[Subgraph],
    report: &mut Report,
) {
    let schemas = Schemas { supergraph, subgraphs };
    let failures = Walk::new(schemas).run();
    if failures.len() > MAX_REPORTED {
        let message = format!(
            "{} fields cannot be reached; those after the first {MAX_REPORTED} are not shown",
            failures.len()
        );
        report.error(Code::SatisfiabilityError, "", &[], message);
    }
    for failure in failures.into_iter().take(MAX_REPORTED) {
        let names: Vec<&str> =
            failure.graphs.iter().map(|&graph| subgraphs[graph].name.as_str()).collect();
        let message = format!(
            "the operation \"{}\" cannot be answered: {}",
            failure.operation, failure.reason
        );
        report.error(Code::SatisfiabilityError, &failure.coordinate, &names, message);
    }
}
