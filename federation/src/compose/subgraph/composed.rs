//! `@composeDirective`: which of a subgraph's own directives the supergraph shall keep.
//!
//! Specification: <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#composedirective>.
//! A directive can be composed if the subgraph defines it and links the specification it comes from. Everything else is
//! [`Code::DirectiveCompositionError`].

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::DirectiveDefinition;
use apollo_compiler::collections::IndexMap;

use super::links::Links;
use super::spec;
use crate::compose::diagnostic::{Code, Report};

/// A directive to keep.
#[derive(Debug)]
pub(crate) struct Composed {
    /// What the subgraph calls it.
    pub(crate) local: Name,
    /// What its specification calls it.
    pub(crate) element: String,
    /// The specification's place among the subgraph's links.
    pub(crate) link: usize,
}

/// Checks what the subgraph asks for; an argument that is not a string is `None`.
pub(super) fn read(
    arguments: Vec<Option<String>>,
    links: &Links,
    definitions: &IndexMap<Name, Node<DirectiveDefinition>>,
    subgraph: &str,
    report: &mut Report,
) -> Vec<Composed> {
    let mut composed = Vec::new();
    for argument in arguments {
        let argument = argument.unwrap_or_default();
        let at = if argument.starts_with('@') { argument.as_str() } else { "schema" };
        match check(&argument, links, definitions) {
            Ok(directive) => composed.push(directive),
            Err(Problem::AlreadyComposed) => {
                let message = format!("\"{argument}\" is composed without being asked to");
                report.hint(Code::DirectiveCompositionInfo, at, &[subgraph], message);
            }
            Err(Problem::Wrong(message)) => {
                report.error(Code::DirectiveCompositionError, at, &[subgraph], message);
            }
        }
    }
    composed
}

enum Problem {
    AlreadyComposed,
    Wrong(String),
}

fn check(
    argument: &str,
    links: &Links,
    definitions: &IndexMap<Name, Node<DirectiveDefinition>>,
) -> Result<Composed, Problem> {
    let wrong = |message: String| Err(Problem::Wrong(message));
    let Some(name) = argument.strip_prefix('@').filter(|name| !name.is_empty()) else {
        return wrong(format!(
            "@composeDirective(name: \"{argument}\") names no directive; it takes the name with its \"@\""
        ));
    };
    if let Some(known) = links.directives.get(name) {
        if spec::COMPOSED.contains(&known.name) {
            return Err(Problem::AlreadyComposed);
        }
        return wrong(format!("\"{argument}\" is a federation directive and cannot be composed"));
    }
    let link = links
        .foreign
        .iter()
        .enumerate()
        .find_map(|(index, link)| Some((index, link.directive_of(name)?)));
    let Some((definition, (link, element))) = definitions.get(name).zip(link) else {
        let missing = if definitions.contains_key(name) {
            "belongs to no specification; import it with a @link"
        } else {
            "is not defined in this subgraph"
        };
        return wrong(format!("\"{argument}\" cannot be composed: it {missing}"));
    };
    Ok(Composed { local: definition.name.clone(), element: element.to_owned(), link })
}
