//! `@requires`: fields of other subgraphs that a resolver wants to see.

use super::selection::{first_alias, first_directive, leaves_not_external};
use super::{fields, is_interface};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::Subgraph;

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    let by = [subgraph.name.as_str()];
    for (def, field, at) in fields(subgraph) {
        let Some(requires) = &field.requires else {
            continue;
        };
        let written = format!("@requires(fields: \"{}\")", requires.source);
        if is_interface(def) {
            let message =
                format!("{written} is on a field of an interface; put it on the implementations");
            report.error(Code::RequiresUnsupportedOnInterface, at, &by, message);
            continue;
        }
        if let Some(aliased) = first_alias(&requires.selection) {
            let message =
                format!("{written} selects \"{aliased}\" under an alias; it may have none");
            report.error(Code::RequiresInvalidFields, at, &by, message);
        }
        if let Some(directive) = first_directive(&requires.selection) {
            let message =
                format!("{written} selects with the directive \"{directive}\"; it may have none");
            report.error(Code::RequiresDirectiveInFieldsArg, at, &by, message);
        }
        for leaf in leaves_not_external(subgraph, &requires.selection) {
            let message = format!(
                "{written} selects \"{leaf}\", which this subgraph resolves itself; \
                 mark it @external or leave it out"
            );
            report.error(Code::RequiresFieldsMissingExternal, at, &by, message);
        }
    }
}
