//! The specifications whose directives mark elements of a supergraph: their links and definitions.
//!
//! Each is there only if the supergraph uses it. They are linked in the versions that Apollo Router knows.

use super::Supergraph;
use crate::compose::merge::{MergedField, MergedInput, MergedLink};
use crate::compose::subgraph::{Import, Marks};

/// A specification.
struct Feature {
    name: &'static str,
    version: &'static str,
    /// Whether a router that does not know it would be insecure.
    security: bool,
    directives: &'static [Definition],
}

/// A directive of a specification.
struct Definition {
    name: &'static str,
    /// What follows the name.
    rest: &'static str,
    /// A scalar of the specification that the arguments have.
    scalar: Option<&'static str>,
    used: fn(&Marks) -> bool,
}

const FEATURES: [Feature; 7] = [
    Feature {
        name: "tag",
        version: "v0.3",
        security: false,
        directives: &[Definition {
            name: "tag",
            rest: "(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA",
            scalar: None,
            used: |marks| !marks.tags.is_empty(),
        }],
    },
    Feature {
        name: "inaccessible",
        version: "v0.2",
        security: true,
        directives: &[Definition {
            name: "inaccessible",
            rest: " on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION",
            scalar: None,
            used: |marks| marks.inaccessible,
        }],
    },
    Feature {
        name: "authenticated",
        version: "v0.1",
        security: true,
        directives: &[Definition {
            name: "authenticated",
            rest: " on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
            scalar: None,
            used: |marks| marks.access.authenticated,
        }],
    },
    Feature {
        name: "requiresScopes",
        version: "v0.1",
        security: true,
        directives: &[Definition {
            name: "requiresScopes",
            rest: "(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
            scalar: Some("requiresScopes__Scope"),
            used: |marks| marks.access.scopes.is_some(),
        }],
    },
    Feature {
        name: "policy",
        version: "v0.1",
        security: true,
        directives: &[Definition {
            name: "policy",
            rest: "(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
            scalar: Some("policy__Policy"),
            used: |marks| marks.access.policies.is_some(),
        }],
    },
    Feature {
        name: "cost",
        version: "v0.1",
        security: false,
        directives: &[
            Definition {
                name: "cost",
                rest: "(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
                scalar: None,
                used: |marks| marks.cost.is_some(),
            },
            Definition {
                name: "listSize",
                rest: "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
                scalar: None,
                used: |marks| marks.list_size.is_some(),
            },
        ],
    },
    Feature {
        name: "context",
        version: "v0.1",
        security: true,
        directives: &[Definition {
            name: "context",
            rest: "(name: String!) repeatable on INTERFACE | OBJECT | UNION",
            scalar: None,
            used: |marks| !marks.contexts.is_empty(),
        }],
    },
];

/// `@link`s of the specifications that `supergraph` uses.
pub(super) fn links(supergraph: &Supergraph) -> Vec<String> {
    let mut links = Vec::new();
    for feature in &FEATURES {
        let used: Vec<Import> = feature
            .directives
            .iter()
            .filter(|directive| is_used(supergraph, directive))
            .map(|directive| Import {
                name: format!("@{}", directive.name),
                local: format!("@{}", supergraph.names.get(directive.name)),
            })
            .collect();
        if used.is_empty() {
            continue;
        }
        let url = format!("https://specs.apollo.dev/{}/{}", feature.name, feature.version);
        // A specification's directive of the same name needs no import.
        let own = format!("@{}", feature.name);
        let imports = used.iter().filter(|import| import.name != own || import.local != own);
        links.push(link(&url, feature.security.then_some("SECURITY"), imports));
    }
    if has_cache_tags(supergraph) {
        links.push(link("https://specs.apollo.dev/cacheTag/v0.1", Some("EXECUTION"), []));
    }
    links.extend(supergraph.links.iter().map(foreign_link));
    links
}

fn foreign_link(foreign: &MergedLink) -> String {
    let url = match foreign.version {
        Some(version) => format!("{}/{version}", foreign.identity),
        None => foreign.identity.clone(),
    };
    link(&url, None, &foreign.imports)
}

fn link<'a>(
    url: &str,
    purpose: Option<&str>,
    imports: impl IntoIterator<Item = &'a Import>,
) -> String {
    let imports: Vec<String> = imports
        .into_iter()
        .map(|Import { name, local }| match name == local {
            true => format!("\"{name}\""),
            false => format!("{{name: \"{name}\", as: \"{local}\"}}"),
        })
        .collect();
    let mut arguments = vec![format!("url: {}", super::quoted(url))];
    arguments.extend(purpose.map(|purpose| format!("for: {purpose}")));
    if !imports.is_empty() {
        arguments.push(format!("import: [{}]", imports.join(", ")));
    }
    format!("@link({})", arguments.join(", "))
}

/// Definitions of the directives that `supergraph` uses, with their names.
pub(super) fn directives(supergraph: &Supergraph) -> Vec<(String, String)> {
    used(supergraph)
        .map(|directive| {
            let name = supergraph.names.get(directive.name);
            (name.to_owned(), format!("directive @{name}{}", directive.rest))
        })
        .collect()
}

/// Scalars that those have.
pub(super) fn scalars(supergraph: &Supergraph) -> impl Iterator<Item = &'static str> {
    used(supergraph).filter_map(|directive| directive.scalar)
}

fn used(supergraph: &Supergraph) -> impl Iterator<Item = &'static Definition> {
    FEATURES
        .iter()
        .flat_map(|feature| feature.directives)
        .filter(|directive| is_used(supergraph, directive))
}

fn is_used(supergraph: &Supergraph, directive: &Definition) -> bool {
    let test = directive.used;
    let input = |value: &MergedInput| test(&value.marks);
    let field = |field: &MergedField| test(&field.marks) || field.arguments.values().any(input);
    test(&supergraph.schema_marks)
        || supergraph.directives.iter().any(|directive| directive.arguments.values().any(input))
        || supergraph.types.values().any(|def| {
            test(&def.marks)
                || def.fields.values().any(field)
                || def.input_fields.values().any(input)
                || def.values.values().any(|value| test(&value.marks))
        })
}

/// Whether anything has a `@cacheTag`.
pub(super) fn has_cache_tags(supergraph: &Supergraph) -> bool {
    supergraph.types.values().any(|def| {
        !def.cache_tags.is_empty() || def.fields.values().any(|field| !field.cache_tags.is_empty())
    })
}
