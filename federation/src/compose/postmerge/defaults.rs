//! Default values are still values of the merged types, and use only what clients see.

use apollo_compiler::ast::{Type, Value};

use super::Supergraph;
use crate::compose::defaults::{InputType, is_value_of};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::merge::MergedInput;
use crate::compose::subgraph::Kind;

pub(super) fn validate(supergraph: &Supergraph, report: &mut Report) {
    for directive in supergraph.directives.iter().filter(|directive| directive.for_operations) {
        for argument in directive.arguments.values() {
            let at = format!("@{}({}:)", directive.name, argument.name);
            check(supergraph, &at, false, argument, report);
        }
    }
    for def in supergraph.types.values() {
        for field in def.fields.values() {
            let hidden = def.marks.inaccessible || field.marks.inaccessible;
            for argument in field.arguments.values() {
                let at = format!("{}.{}({}:)", def.name, field.name, argument.name);
                check(supergraph, &at, hidden, argument, report);
            }
        }
        for field in def.input_fields.values() {
            let at = format!("{}.{}", def.name, field.name);
            check(supergraph, &at, def.marks.inaccessible, field, report);
        }
    }
}

fn check(
    supergraph: &Supergraph,
    at: &str,
    hidden: bool,
    input: &MergedInput,
    report: &mut Report,
) {
    let Some(default) = &input.default else {
        return;
    };
    if !is_value_of(&|name| input_type(supergraph, name), &input.ty, default) {
        let default = default.serialize().no_indent();
        let message = format!(
            "its default {default} is not a value of the merged type \"{}\", because not all subgraphs know what it uses",
            input.ty
        );
        report.error(Code::InvalidGraphql, at, &[], message);
        return;
    }
    if hidden || input.marks.inaccessible {
        return;
    }
    if let Some(hidden) = hidden_part(supergraph, &input.ty, default) {
        let default = default.serialize().no_indent();
        let message = format!("its default {default} uses \"{hidden}\", which is @inaccessible");
        report.error(Code::DefaultValueUsesInaccessible, at, &[], message);
    }
}

fn input_type<'a>(supergraph: &'a Supergraph, name: &str) -> Option<InputType<'a>> {
    let def = supergraph.types.get(name)?;
    match def.kind {
        Kind::Scalar => Some(InputType::Scalar),
        Kind::Enum => Some(InputType::Enum(def.values.keys().map(|name| name.as_str()).collect())),
        Kind::InputObject => {
            let required = |field: &MergedInput| field.ty.is_non_null() && field.default.is_none();
            let fields = def.input_fields.values();
            Some(InputType::Object(
                fields.map(|field| (field.name.as_str(), &field.ty, required(field))).collect(),
            ))
        }
        Kind::Object | Kind::Interface | Kind::Union => None,
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
