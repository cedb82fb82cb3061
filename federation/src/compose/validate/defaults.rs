//! Input fields and arguments: defaults are values of their types, and what is required is not deprecated.

use std::fmt;

use super::fields;
use crate::compose::defaults::{InputType, is_value_of};
use crate::compose::diagnostic::{Code, Coordinate, Report};
use crate::compose::subgraph::{InputValue, Kind, Subgraph};

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    for (_, field, at) in fields(subgraph) {
        for argument in field.arguments.values() {
            check(subgraph, format_args!("{at}({}:)", argument.name), argument, report);
        }
    }
    for def in subgraph.types.values() {
        for field in def.input_fields.values() {
            let at = Coordinate { parent: &def.name, field: &field.name };
            check(subgraph, at, field, report);
        }
    }
}

fn check(subgraph: &Subgraph, at: impl fmt::Display, input: &InputValue, report: &mut Report) {
    if input.is_required() && input.marks.deprecated.is_some() {
        let message =
            "required and @deprecated: clients could not stop giving it. Make it optional";
        report.error(Code::InvalidGraphql, &at, &[&subgraph.name], message.to_owned());
    }
    let Some(default) = &input.default else {
        return;
    };
    if !is_value_of(&|name| input_type(subgraph, name), &input.ty, default) {
        let default = default.serialize().no_indent();
        let message = format!("its default {default} is not a value of its type \"{}\"", input.ty);
        report.error(Code::InvalidGraphql, &at, &[&subgraph.name], message);
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
