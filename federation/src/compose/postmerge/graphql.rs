//! The merged schema must itself be valid GraphQL: types that are fine in each subgraph may not fit together, for
//! example when a field was widened and no longer implements that of its interface.

use apollo_compiler::Schema;

use super::Supergraph;
use crate::compose::diagnostic::{Code, Report};
use crate::compose::print;

pub(super) fn validate(supergraph: &Supergraph, report: &mut Report) {
    if let Err(invalid) = Schema::parse_and_validate(print::print(supergraph), "supergraph.graphql")
    {
        for diagnostic in invalid.errors.iter() {
            let message = format!("the merged schema is not valid: {}", diagnostic.error);
            report.error(Code::InvalidGraphql, "", &[], message);
        }
    }
}
