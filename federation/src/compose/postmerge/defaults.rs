//! Default values that clients see use only what clients see.

use apollo_compiler::ast::{Type, Value};

use super::Supergraph;
use crate::compose::diagnostic::{Code, Report};
use crate::compose::merge::MergedInput;

pub(super) fn validate(supergraph: &Supergraph, report: &mut Report) {
    for directive in supergraph.directives.iter().filter(|directive| directive.for_operations) {
        for argument in directive.arguments.values() {
            let at = format!("@{}({}:)", directive.name, argument.name);
            check(supergraph, &at, argument, report);
        }
    }
    for def in supergraph.types.values().filter(|def| !def.marks.inaccessible) {
        for field in def.fields.values().filter(|field| !field.marks.inaccessible) {
            for argument in field.arguments.values() {
                check(
                    supergraph,
                    &format!("{}.{}({}:)", def.name, field.name, argument.name),
                    argument,
                    report,
                );
            }
        }
        for field in def.input_fields.values() {
            check(supergraph, &format!("{}.{}", def.name, field.name), field, report);
        }
    }
}

fn check(supergraph: &Supergraph, at: &str, input: &MergedInput, report: &mut Report) {
    let Some(default) = input.default.as_ref().filter(|_| !input.marks.inaccessible) else {
        return;
    };
    if let Some(hidden) = hidden_part(supergraph, &input.ty, default) {
        let default = default.serialize().no_indent();
        let message = format!("its default {default} uses \"{hidden}\", which is @inaccessible");
        report.error(Code::DefaultValueUsesInaccessible, at, &[], message);
    }
}

/// Coordinate of the first inaccessible enum value or input field in `value`.
fn hidden_part(supergraph: &Supergraph, ty: &Type, value: &Value) -> Option<String> {
    match value {
        Value::List(items) => {
            items.iter().find_map(|item| hidden_part(supergraph, ty.item_type(), item))
        }
        Value::Enum(name) => {
            let def = supergraph.types.get(ty.inner_named_type())?;
            let value = def.values.get(name)?;
            value.marks.inaccessible.then(|| format!("{}.{name}", def.name))
        }
        Value::Object(fields) => {
            let def = supergraph.types.get(ty.inner_named_type())?;
            fields.iter().find_map(|(name, value)| {
                let field = def.input_fields.get(name)?;
                if field.marks.inaccessible {
                    return Some(format!("{}.{name}", def.name));
                }
                hidden_part(supergraph, &field.ty, value)
            })
        }
        _ => None,
    }
}
