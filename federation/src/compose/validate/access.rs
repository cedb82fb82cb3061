//! `@authenticated`, `@requiresScopes` and `@policy`: not on interfaces, which ask for what their implementations ask.

use std::fmt;

use super::{fields, is_interface};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::{Marks, Subgraph, TypeDef};

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    for def in subgraph.types.values().filter(|def| stands_for_others(def)) {
        check(subgraph, &def.name, &def.marks, report);
    }
    for (_, field, at) in fields(subgraph).filter(|(def, ..)| stands_for_others(def)) {
        check(subgraph, at, &field.marks, report);
    }
}

fn stands_for_others(def: &TypeDef) -> bool {
    is_interface(def) || def.interface_object
}

fn check(subgraph: &Subgraph, at: impl fmt::Display, marks: &Marks, report: &mut Report) {
    for directive in directives(marks) {
        let message = format!(
            "{directive} is on an interface (or a field of one, or what stands for one), which asks for what its implementations ask; \
             put it on the implementations"
        );
        let code = Code::AuthRequirementsAppliedOnInterface;
        report.error(code, &at, &[&subgraph.name], message);
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
