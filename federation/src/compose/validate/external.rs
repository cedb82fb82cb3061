//! `@external`: a field that is declared only because something in the subgraph refers to it.

use super::{fields, is_interface};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::{Marks, Subgraph};

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    let by = [subgraph.name.as_str()];
    for (def, field, at) in fields(subgraph).filter(|(_, field, _)| field.is_external()) {
        if is_interface(def) {
            let message =
                "@external is on a field of an interface; put it on the implementations".to_owned();
            report.error(Code::ExternalOnInterface, at, &by, message);
        } else if !subgraph.is_used(&def.name, field) {
            let message = "the field is @external, but no @key, @requires, @provides or interface of this subgraph \
                           refers to it; remove the field, or @external if the subgraph resolves it"
                .to_owned();
            report.error(Code::ExternalUnused, at, &by, message);
        }
        if field.provides.is_some() {
            let message = "the field is @external and @provides, but what is not resolved here provides nothing";
            let code = Code::ExternalCollisionWithAnotherDirective;
            report.error(code, at, &by, message.to_owned());
        }
        if let Some(directive) = merged_directive(&field.marks) {
            let message = format!(
                "{directive} has no effect on an @external field; put it where the field is resolved"
            );
            report.error(Code::MergedDirectiveApplicationOnExternal, at, &by, message);
        }
    }
}

/// A directive that is merged into the supergraph.
fn merged_directive(marks: &Marks) -> Option<&'static str> {
    [
        (marks.inaccessible, "@inaccessible"),
        (!marks.tags.is_empty(), "@tag"),
        (marks.access.authenticated, "@authenticated"),
        (marks.access.scopes.is_some(), "@requiresScopes"),
        (marks.access.policies.is_some(), "@policy"),
        (marks.cost.is_some(), "@cost"),
        (marks.list_size.is_some(), "@listSize"),
        (marks.deprecated.is_some(), "@deprecated"),
    ]
    .into_iter()
    .find_map(|(applied, directive)| applied.then_some(directive))
}
