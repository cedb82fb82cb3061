//! Types and arguments that belong to a specification: they are dropped afterwards, and must therefore be what it says.

use apollo_compiler::ast::{Definition, DirectiveDefinition, DirectiveList, DirectiveLocation};

use super::links::Links;
use super::model::is_built_in_scalar;
use crate::compose::diagnostic::{Code, Report};

/// Checks `definitions` of the subgraph called `subgraph`, with the names that it uses itself.
pub(super) fn check(
    definitions: &[Definition],
    links: &Links,
    subgraph: &str,
    report: &mut Report,
) {
    for definition in definitions {
        if let Definition::DirectiveDefinition(directive) = definition {
            check_arguments(directive, links, subgraph, report);
        }
        let Some(name) = definition.name() else {
            continue;
        };
        let Some(kind) = specified_kind(name, links) else {
            continue;
        };
        let Some(found) = kind_of(definition) else {
            continue;
        };
        if found != kind {
            let message = format!("the specification has it as {kind}, and here it is {found}");
            report.error(Code::TypeDefinitionInvalid, name, &[subgraph], message);
        }
        if is_inaccessible(definition.directives(), links) {
            let message = "a type of a specification cannot be @inaccessible".to_owned();
            report.error(Code::DisallowedInaccessible, name, &[subgraph], message);
        }
    }
}

/// Who may see a directive in a schema must see what it takes.
fn check_arguments(
    directive: &DirectiveDefinition,
    links: &Links,
    subgraph: &str,
    report: &mut Report,
) {
    let in_schemas = directive.locations.iter().any(|location| !is_executable(*location));
    for argument in &directive.arguments {
        if in_schemas && is_inaccessible(&argument.directives, links) {
            let message =
                "an argument of a directive for schemas cannot be @inaccessible".to_owned();
            let at = format!("@{}({}:)", directive.name, argument.name);
            report.error(Code::DisallowedInaccessible, &at, &[subgraph], message);
        }
    }
}

fn is_executable(location: DirectiveLocation) -> bool {
    use DirectiveLocation as At;
    matches!(
        location,
        At::Query
            | At::Mutation
            | At::Subscription
            | At::Field
            | At::FragmentDefinition
            | At::FragmentSpread
            | At::InlineFragment
            | At::VariableDefinition
    )
}

fn is_inaccessible(directives: &DirectiveList, links: &Links) -> bool {
    directives
        .iter()
        .filter_map(|directive| links.directives.get(directive.name.as_str()))
        .any(|directive| directive.name == "inaccessible")
}

fn specified_kind(name: &str, links: &Links) -> Option<&'static str> {
    match name {
        "_Entity" => Some("a union"),
        "_Service" => Some("an object type"),
        "link__Purpose" => Some("an enum"),
        "_Any" | "_FieldSet" | "link__Import" => Some("a scalar"),
        _ if is_built_in_scalar(name) || links.types.contains(name) => Some("a scalar"),
        _ => None,
    }
}

fn kind_of(definition: &Definition) -> Option<&'static str> {
    match definition {
        Definition::ScalarTypeDefinition(_) | Definition::ScalarTypeExtension(_) => {
            Some("a scalar")
        }
        Definition::ObjectTypeDefinition(_) | Definition::ObjectTypeExtension(_) => {
            Some("an object type")
        }
        Definition::InterfaceTypeDefinition(_) | Definition::InterfaceTypeExtension(_) => {
            Some("an interface")
        }
        Definition::UnionTypeDefinition(_) | Definition::UnionTypeExtension(_) => Some("a union"),
        Definition::EnumTypeDefinition(_) | Definition::EnumTypeExtension(_) => Some("an enum"),
        Definition::InputObjectTypeDefinition(_) | Definition::InputObjectTypeExtension(_) => {
            Some("an input object")
        }
        _ => None,
    }
}
