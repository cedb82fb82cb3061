//! Interfaces that are entities: `@key` on an interface, and `@interfaceObject`, which stands for one.

use super::selection::same_fields;
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::{Key, Kind, Subgraph, TypeDef};

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    for def in subgraph.types.values() {
        if def.kind == Kind::Interface {
            for key in &def.keys {
                on_implementations(subgraph, def, key, report);
            }
        }
        if def.interface_object && def.keys.is_empty() {
            let message =
                "an @interfaceObject is an entity, but the type has no @key in this subgraph";
            report.error(
                Code::InterfaceObjectUsageError,
                &def.name,
                &[&subgraph.name],
                message.to_owned(),
            );
        }
    }
}

/// Whoever is sent a key of the interface must find its object by it.
fn on_implementations(subgraph: &Subgraph, def: &TypeDef, key: &Key, report: &mut Report) {
    let implementations = subgraph.possible_types(&def.name);
    let without = |accepts: &dyn Fn(&Key) -> bool| -> Vec<&str> {
        implementations
            .iter()
            .filter(|name| {
                let keys = subgraph.types.get(*name).map_or(&[][..], |def| def.keys.as_slice());
                !keys.iter().any(accepts)
            })
            .map(|name| name.as_str())
            .collect()
    };
    let same = |other: &Key| same_fields(&other.fields.selection, &key.fields.selection);
    let missing = without(&same);
    let problem = if !missing.is_empty() {
        format!("is missing on the implementations \"{}\"", missing.join("\", \""))
    } else if key.resolvable {
        let unresolvable = without(&|other| same(other) && other.resolvable);
        if unresolvable.is_empty() {
            return;
        }
        format!(
            "is not resolvable on the implementations \"{}\", as it is on the interface",
            unresolvable.join("\", \"")
        )
    } else {
        return;
    };
    let message = format!("@key(fields: \"{}\") {problem}", key.fields.source);
    report.error(Code::InterfaceKeyNotOnImplementation, &def.name, &[&subgraph.name], message);
}
