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

/// Checks that every field that clients see can be reached. `subgraphs` are those that `supergraph` was merged from.
pub(super) fn validate_satisfiability(
    supergraph: &Supergraph,
    subgraphs: &[Subgraph],
    report: &mut Report,
) {
    let mut reported = HashSet::default();
    for labels in label_choices(supergraph) {
        let schemas = Schemas { supergraph, subgraphs, labels: &labels };
        for failure in Walk::new(schemas).run() {
            if reported.insert(failure.coordinate.clone()) {
                report_failure(&failure, subgraphs, &labels, report);
            }
        }
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
