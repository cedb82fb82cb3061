//! Satisfiability: every query that the supergraph allows can be answered, whatever path led to where it asks.
//!
//! A state is an object type with the set of places (subgraph, and what a `@provides` adds there) where a value of
//! it can be had after following all keys, and the contexts that were set on the way. From each root, [`walk`] visits every state once; a state whose places
//! include those of a visited one cannot fail where that one did not, and is skipped. [`resolve`] answers what can
//! be had from a set of places, [`explain`] says for people why something cannot.

mod contexts;
mod explain;
mod places;
mod resolve;
mod walk;

use std::collections::BTreeSet;

use apollo_compiler::collections::HashSet;

use super::diagnostic::{Code, Report};
use super::merge::Supergraph;
use super::subgraph::Subgraph;
use explain::Failure;
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
    let choices = label_choices(supergraph);
    let mut seen = HashSet::default();
    let mut failures = Vec::new();
    for labels in &choices {
        let found = Walk::new(Schemas { supergraph, subgraphs, labels }).run();
        let new = found.into_iter().filter(|failure| seen.insert(failure.coordinate.clone()));
        failures.extend(new.map(|failure| (failure, labels)));
    }
    if failures.len() > MAX_REPORTED {
        let message = format!(
            "{} fields cannot be reached; those after the first {MAX_REPORTED} are not shown",
            failures.len()
        );
        report.error(Code::SatisfiabilityError, "", &[], message);
    }
    for (failure, labels) in failures.iter().take(MAX_REPORTED) {
        report_failure(failure, subgraphs, labels, report);
    }
}

fn report_failure(failure: &Failure, subgraphs: &[Subgraph], labels: &[&str], report: &mut Report) {
    let names: Vec<&str> =
        failure.graphs.iter().map(|&graph| subgraphs[graph].name.as_str()).collect();
    let under = match labels {
        [] => String::new(),
        labels => format!(" where the override label \"{}\" holds", labels.join("\", \"")),
    };
    let message = format!(
        "the operation \"{}\" cannot be answered{under}: {}",
        failure.operation, failure.reason
    );
    report.error(Code::SatisfiabilityError, &failure.coordinate, &names, message);
}

/// Which labels of `@override` hold is decided for each request: none, one, or all. Combinations in between are not
/// tried, because there may be too many.
fn label_choices(supergraph: &Supergraph) -> Vec<Vec<&str>> {
    let fields = supergraph.types.values().flat_map(|def| def.fields.values());
    let sources = fields.flat_map(|field| &field.sources);
    let labels: BTreeSet<&str> =
        sources.filter_map(|source| source.override_label.as_deref()).collect();
    let mut choices = vec![Vec::new()];
    choices.extend(labels.iter().map(|label| vec![*label]));
    if labels.len() > 1 {
        choices.push(labels.into_iter().collect());
    }
    choices
}
