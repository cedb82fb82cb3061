//! `@inaccessible`: what remains for clients must be a schema.
//!
//! Specification: <https://specs.apollo.dev/inaccessible/v0.2/>.

use std::fmt;

use apollo_compiler::ast::Type;

use super::Supergraph;
use crate::compose::diagnostic::{Code, Coordinate, Report};
use crate::compose::merge::{MergedField, MergedInput, MergedType};

pub(super) fn validate(supergraph: &Supergraph, report: &mut Report) {
    if supergraph.types.get("Query").is_some_and(|query| query.marks.inaccessible) {
        let message = "the query root must be accessible".to_owned();
        report.error(Code::QueryRootTypeInaccessible, "Query", &[], message);
    }
    for directive in supergraph.directives.iter().filter(|directive| directive.for_operations) {
        for argument in directive.arguments.values() {
            let at = format_args!("@{}({}:)", directive.name, argument.name);
            input(supergraph, at, argument, report);
        }
    }
    for def in supergraph.types.values().filter(|def| !def.marks.inaccessible) {
        children(supergraph, def, report);
        for field in def.fields.values().filter(|field| !field.marks.inaccessible) {
            let at = Coordinate { parent: &def.name, field: &field.name };
            reference(supergraph, at, &field.ty, report);
            for argument in field.arguments.values() {
                input(supergraph, format_args!("{at}({}:)", argument.name), argument, report);
            }
        }
        for field in def.input_fields.values() {
            let at = Coordinate { parent: &def.name, field: &field.name };
            input(supergraph, at, field, report);
        }
        for interface in def.interfaces().into_iter().filter_map(|name| supergraph.types.get(name))
        {
            implementation(def, interface, report);
        }
    }
}

fn input(supergraph: &Supergraph, at: impl fmt::Display, value: &MergedInput, report: &mut Report) {
    if !value.marks.inaccessible {
        reference(supergraph, at, &value.ty, report);
    } else if value.ty.is_non_null() && value.default.is_none() {
        let message =
            "required, but @inaccessible: clients could not give it. Make it optional".to_owned();
        report.error(Code::RequiredInaccessible, at, &[], message);
    }
}

fn reference(supergraph: &Supergraph, at: impl fmt::Display, ty: &Type, report: &mut Report) {
    let name = ty.inner_named_type();
    if supergraph.types.get(name).is_some_and(|def| def.marks.inaccessible) {
        let message = format!("its type \"{name}\" is @inaccessible; mark this @inaccessible too");
        report.error(Code::ReferencedInaccessible, at, &[], message);
    }
}

fn children(supergraph: &Supergraph, def: &MergedType, report: &mut Report) {
    let member_is_inaccessible = |name| {
        supergraph.types.get(name).is_some_and(|member: &MergedType| member.marks.inaccessible)
    };
    let mut inaccessible = Vec::new();
    inaccessible.extend(def.fields.values().map(|field| field.marks.inaccessible));
    inaccessible.extend(def.input_fields.values().map(|field| field.marks.inaccessible));
    inaccessible.extend(def.values.values().map(|value| value.marks.inaccessible));
    inaccessible.extend(def.member_names().into_iter().map(member_is_inaccessible));
    if !inaccessible.is_empty() && inaccessible.into_iter().all(|is| is) {
        let message = "clients see the type, but everything in it is @inaccessible; mark it @inaccessible too";
        report.error(Code::OnlyInaccessibleChildren, &def.name, &[], message.to_owned());
    }
}

fn implementation(def: &MergedType, interface: &MergedType, report: &mut Report) {
    if interface.marks.inaccessible {
        return;
    }
    let hidden = |field: &MergedField| field.marks.inaccessible;
    for field in interface.fields.values().filter(|field| !hidden(field)) {
        if def.fields.get(&field.name).is_some_and(hidden) {
            let message = format!(
                "@inaccessible, but \"{}.{}\", which it implements, is not",
                interface.name, field.name
            );
            let at = Coordinate { parent: &def.name, field: &field.name };
            report.error(Code::ImplementedByInaccessible, at, &[], message);
        }
    }
}
