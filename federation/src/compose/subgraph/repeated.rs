//! Definitions of federation directives that a subgraph repeats must be what the specification says.
//!
//! A subgraph may leave out arguments and locations that it does not use, and call field sets `String`, as old libraries do.
//! Of Federation 1, whose definitions were never fixed, only the names of arguments are looked at.

use std::sync::LazyLock;

use apollo_compiler::ast::{Definition, DirectiveDefinition, Document, Type};
use apollo_compiler::parser::Parser;

use super::links::Links;
use super::spec;
use crate::compose::diagnostic::{Code, Report};

static SPECIFIED: LazyLock<Document> = LazyLock::new(|| {
    let parsed = Parser::new().parse_ast(spec::DEFINITIONS, "federation.graphql");
    parsed.unwrap_or_else(|invalid| invalid.partial)
});

/// Checks `definitions` of the subgraph called `subgraph`, before anything is renamed.
pub(super) fn check(
    definitions: &[Definition],
    links: &Links,
    subgraph: &str,
    report: &mut Report,
) {
    for definition in definitions {
        let Definition::DirectiveDefinition(directive) = definition else {
            continue;
        };
        if let Some(problem) = directive_problem(directive, links) {
            let at = format!("@{}", directive.name);
            report.error(Code::DirectiveDefinitionInvalid, &at, &[subgraph], problem);
        }
    }
}

fn directive_problem(own: &DirectiveDefinition, links: &Links) -> Option<String> {
    let known = links.directives.get(own.name.as_str())?;
    let is = format!("is the federation directive \"@{}\"", known.name);
    for argument in &own.arguments {
        if !known.arguments.contains(&argument.name.as_str()) {
            return Some(format!("it {is}, which has no argument \"{}\"", argument.name));
        }
    }
    let canonical = format!("{}{}", spec::PREFIX, known.name);
    let specified = SPECIFIED
        .definitions
        .iter()
        .filter_map(Definition::as_directive_definition)
        .find(|definition| definition.name == *canonical)
        .filter(|_| !links.version.is_federation_1())?;
    for argument in &specified.arguments {
        match own.arguments.iter().find(|own| own.name == argument.name) {
            Some(own) if !fits(&argument.ty, &own.ty) => {
                let expected = argument.ty.to_string().replace(spec::PREFIX, "");
                return Some(format!(
                    "it {is}, whose argument \"{}\" has the type \"{expected}\", not \"{}\"",
                    argument.name, own.ty
                ));
            }
            None if argument.ty.is_non_null() && argument.default_value.is_none() => {
                return Some(format!("it {is}, which needs the argument \"{}\"", argument.name));
            }
            _ => {}
        }
    }
    let location = own.locations.iter().find(|location| !specified.locations.contains(location))?;
    Some(format!("it {is}, which cannot be on {location}"))
}

/// Whether an argument that should have the type `specified` may be written with the type `own`.
fn fits(specified: &Type, own: &Type) -> bool {
    match (specified, own) {
        (Type::Named(a), Type::Named(b) | Type::NonNullNamed(b))
        | (Type::NonNullNamed(a), Type::NonNullNamed(b)) => match a.strip_prefix(spec::PREFIX) {
            Some(scalar) => b == "String" || b.ends_with(scalar),
            None => a == b,
        },
        (Type::List(a), Type::List(b) | Type::NonNullList(b))
        | (Type::NonNullList(a), Type::NonNullList(b)) => fits(a, b),
        _ => false,
    }
}
