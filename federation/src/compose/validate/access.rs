//! `@authenticated`, `@requiresScopes` and `@policy`: not on interfaces, which ask for what their implementations ask.

use super::{fields, is_interface};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::{Marks, Subgraph};

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    let types = subgraph.types.values().map(|def| (def, &def.marks, def.name.to_string()));
    let fields = fields(subgraph).map(|(def, field, at)| (def, &field.marks, at));
    for (def, marks, at) in types.chain(fields) {
        if is_interface(def) || def.interface_object {
            for directive in directives(marks) {
                let message = format!(
                    "{directive} is on an interface (or a field of one, or what stands for one), which asks for what its implementations ask; \
                     put it on the implementations"
                );
                let code = Code::AuthRequirementsAppliedOnInterface;
                report.error(code, &at, &[&subgraph.name], message);
            }
        }
    }
}

fn directives(marks: &Marks) -> impl Iterator<Item = &'static str> {
    let access = &marks.access;
    [
        (access.authenticated, "@authenticated"),
        (access.scopes.is_some(), "@requiresScopes"),
        (access.policies.is_some(), "@policy"),
    ]
    .into_iter()
    .filter_map(|(applied, directive)| applied.then_some(directive))
}
