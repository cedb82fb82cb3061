//! `@override`: what can be said about it without knowing the other subgraphs.

use super::{fields, is_interface};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::Subgraph;

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    let by = [subgraph.name.as_str()];
    for (def, field, at) in fields(subgraph) {
        let Some(from) = &field.override_from else {
            continue;
        };
        if is_interface(def) {
            let message =
                "@override is on a field of an interface; put it on the implementations".to_owned();
            report.error(Code::OverrideOnInterface, &at, &by, message);
            continue;
        }
        if def.interface_object {
            let message = "@override is on a field of an @interfaceObject, which no subgraph can take over yet";
            report.error(Code::OverrideCollisionWithAnotherDirective, &at, &by, message.to_owned());
        }
        if *from == subgraph.name {
            let message = format!(
                "@override(from: \"{from}\") names its own subgraph; name the one that had the field"
            );
            report.error(Code::OverrideFromSelfError, &at, &by, message);
        }
        if field.is_external() {
            let message =
                "a field that is @external cannot @override: this subgraph does not resolve it"
                    .to_owned();
            report.error(Code::OverrideCollisionWithAnotherDirective, &at, &by, message);
        }
    }
}
