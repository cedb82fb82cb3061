//! `@external`: a field that is declared only because something in the subgraph refers to it.

use super::{fields, is_interface};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::Subgraph;

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    let by = [subgraph.name.as_str()];
    for (def, field, at) in fields(subgraph).filter(|(_, field, _)| field.is_external()) {
        if is_interface(def) {
            let message =
                "@external is on a field of an interface; put it on the implementations".to_owned();
            report.error(Code::ExternalOnInterface, &at, &by, message);
        } else if !subgraph.is_used(&def.name, field) {
            let message = "the field is @external, but no @key, @requires, @provides or interface of this subgraph \
                           refers to it; remove the field, or @external if the subgraph resolves it"
                .to_owned();
            report.error(Code::ExternalUnused, &at, &by, message);
        }
        if field.provides.is_some() {
            let message = "the field is @external and @provides, but what is not resolved here provides nothing";
            let code = Code::ExternalCollisionWithAnotherDirective;
            report.error(code, &at, &by, message.to_owned());
        }
        let marks = &field.marks;
        if marks.inaccessible || !marks.tags.is_empty() || marks.deprecated.is_some() {
            let message =
                "@tag, @inaccessible and @deprecated have no effect on an @external field; \
                           put them where it is resolved"
                    .to_owned();
            report.error(Code::MergedDirectiveApplicationOnExternal, &at, &by, message);
        }
    }
}
