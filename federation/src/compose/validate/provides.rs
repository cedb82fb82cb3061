//! `@provides`: external fields that a subgraph resolves on one path.

use super::selection::{each_field, first_alias, first_directive, leaves_not_external};
use super::{fields, is_interface};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::Subgraph;

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    let by = [subgraph.name.as_str()];
    for (def, field, at) in fields(subgraph) {
        let Some(provides) = &field.provides else {
            continue;
        };
        let written = format!("@provides(fields: \"{}\")", provides.source);
        if is_interface(def) {
            let message =
                format!("{written} is on a field of an interface; put it on the implementations");
            report.error(Code::ProvidesUnsupportedOnInterface, at, &by, message);
            continue;
        }
        if let Some(aliased) = first_alias(&provides.selection) {
            let message =
                format!("{written} selects \"{aliased}\" under an alias; it may have none");
            report.error(Code::ProvidesInvalidFields, at, &by, message);
        }
        if let Some(directive) = first_directive(&provides.selection) {
            let message =
                format!("{written} selects with the directive \"{directive}\"; it may have none");
            report.error(Code::ProvidesDirectiveInFieldsArg, at, &by, message);
        }
        each_field(&provides.selection, &mut |parent, selected| {
            if !selected.definition.arguments.is_empty() {
                let message = format!(
                    "{written} selects \"{parent}.{}\", which takes arguments; a provided field takes none",
                    selected.name
                );
                report.error(Code::ProvidesFieldsHasArgs, at, &by, message);
            }
        });
        for leaf in leaves_not_external(subgraph, &provides.selection) {
            let message = format!(
                "{written} selects \"{leaf}\", which this subgraph always resolves; \
                 mark it @external or leave it out"
            );
            report.error(Code::ProvidesFieldsMissingExternal, at, &by, message);
        }
    }
}
