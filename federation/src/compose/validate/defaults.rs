//! Default values are values of their types.

use super::fields;
use crate::compose::defaults::{InputType, is_value_of};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::{InputValue, Kind, Subgraph};

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    for (_, field, at) in fields(subgraph) {
        for argument in field.arguments.values() {
            check(subgraph, &format!("{at}({}:)", argument.name), argument, report);
        }
    }
    for def in subgraph.types.values() {
        for field in def.input_fields.values() {
            check(subgraph, &format!("{}.{}", def.name, field.name), field, report);
        }
    }
}

fn check(subgraph: &Subgraph, at: &str, input: &InputValue, report: &mut Report) {
    let Some(default) = &input.default else {
        return;
    };
    if !is_value_of(&|name| input_type(subgraph, name), &input.ty, default) {
        let default = default.serialize().no_indent();
        let message = format!("its default {default} is not a value of its type \"{}\"", input.ty);
        report.error(Code::InvalidGraphql, at, &[&subgraph.name], message);
    }
}

fn input_type<'a>(subgraph: &'a Subgraph, name: &str) -> Option<InputType<'a>> {
    let def = subgraph.types.get(name)?;
    match def.kind {
        Kind::Scalar => Some(InputType::Scalar),
        Kind::Enum => Some(InputType::Enum(def.values.keys().map(|name| name.as_str()).collect())),
        Kind::InputObject => {
            let fields = def.input_fields.values();
            Some(InputType::Object(
                fields.map(|field| (field.name.as_str(), &field.ty, field.is_required())).collect(),
            ))
        }
        Kind::Object | Kind::Interface | Kind::Union => None,
    }
}
