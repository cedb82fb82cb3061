//! `@shareable`: only what resolves a field can share it.

use super::{fields, is_interface};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::Subgraph;

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    for (_, _, at) in fields(subgraph).filter(|(def, field, _)| {
        is_interface(def) && field.shareable && !subgraph.version.is_federation_1()
    }) {
        let message =
            "@shareable is on a field of an interface; put it on the implementations".to_owned();
        report.error(Code::InvalidShareableUsage, at, &[&subgraph.name], message);
    }
}
