//! What a supergraph has besides its types: the schema with its links, directive definitions, and the types of the
//! `join` and `link` specifications.
//!
//! `join` is linked in the oldest version that has what the supergraph uses, so that as many routers as possible read it.

use super::{Printer, Supergraph, features, joined, quoted};
use crate::compose::merge::{FieldSource, MergedDirective};
use crate::compose::subgraph::ROOTS;

/// A version of the `join` specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Join {
    V3,
    /// Has labels of `@override`, and `@join__directive`.
    V4,
    /// Has contexts.
    V5,
}

impl Join {
    fn of(supergraph: &Supergraph) -> Self {
        let fields = || supergraph.types.values().flat_map(|def| def.fields.values());
        let any =
            |test: fn(&FieldSource) -> bool| fields().any(|field| field.sources.iter().any(test));
        if any(|source| !source.contexts.is_empty())
            || supergraph.types.values().any(|def| !def.marks.contexts.is_empty())
        {
            Self::V5
        } else if any(|source| source.override_label.is_some())
            || features::has_cache_tags(supergraph)
        {
            Self::V4
        } else {
            Self::V3
        }
    }

    fn url(self) -> &'static str {
        match self {
            Self::V3 => "https://specs.apollo.dev/join/v0.3",
            Self::V4 => "https://specs.apollo.dev/join/v0.4",
            Self::V5 => "https://specs.apollo.dev/join/v0.5",
        }
    }

    fn directives(self) -> Vec<(&'static str, String)> {
        let mut field = "directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean".to_owned();
        if self >= Self::V4 {
            field += ", overrideLabel: String";
        }
        if self >= Self::V5 {
            field += ", contextArguments: [join__ContextArgument!]";
        }
        field += ") repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION";
        let mut directives = vec![("join__field", field)];
        if self >= Self::V4 {
            directives.push((
                "join__directive",
                "directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION".to_owned(),
            ));
        }
        directives.extend(LINK_AND_JOIN.map(|(name, text)| (name, text.to_owned())));
        directives
    }

    fn types(self) -> Vec<(&'static str, &'static str)> {
        let mut types = vec![("join__FieldSet", "scalar join__FieldSet")];
        if self >= Self::V4 {
            types.push(("join__DirectiveArguments", "scalar join__DirectiveArguments"));
        }
        if self >= Self::V5 {
            types.push(("join__FieldValue", "scalar join__FieldValue"));
            types.push(("join__ContextArgument", CONTEXT_ARGUMENT));
        }
        types
    }
}

const LINK_AND_JOIN: [(&str, &str); 6] = [
    ("join__enumValue", "directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE"),
    ("join__graph", "directive @join__graph(name: String!, url: String!) on ENUM_VALUE"),
    (
        "join__implements",
        "directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE",
    ),
    (
        "join__type",
        "directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR",
    ),
    (
        "join__unionMember",
        "directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION",
    ),
    (
        "link",
        "directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA",
    ),
];

const CONTEXT_ARGUMENT: &str = "input join__ContextArgument {
  name: String!
  type: String!
  context: String!
  selection: join__FieldValue!
}";

const PURPOSE: &str = r#"enum link__Purpose {
  """
  `SECURITY` features provide metadata necessary to securely resolve fields.
  """
  SECURITY

  """
  `EXECUTION` features provide metadata necessary for operation execution.
  """
  EXECUTION
}"#;

/// The schema definition.
pub(super) fn schema(printer: &Printer<'_>) -> String {
    let supergraph = printer.supergraph;
    let mut directives = vec![
        "@link(url: \"https://specs.apollo.dev/link/v1.0\")".to_owned(),
        format!("@link(url: \"{}\", for: EXECUTION)", Join::of(supergraph).url()),
    ];
    directives.extend(features::links(supergraph));
    directives.extend(printer.mark_directives(&supergraph.schema_marks));
    let directives: Vec<String> =
        directives.into_iter().map(|directive| format!("  {directive}\n")).collect();
    let description = super::description(supergraph.description.as_ref(), "");
    let mut text = format!("{description}schema\n{}{{\n", directives.concat());
    for root in ROOTS.into_iter().filter(|root| supergraph.types.contains_key(*root)) {
        text += &format!("  {}: {root}\n", root.to_ascii_lowercase());
    }
    text + "}"
}

/// Definitions of the directives that the supergraph uses, sorted by name.
pub(super) fn directives(printer: &Printer<'_>) -> Vec<String> {
    let supergraph = printer.supergraph;
    let mut directives = features::directives(supergraph);
    let join = Join::of(supergraph).directives().into_iter();
    directives.extend(join.map(|(name, text)| (name.to_owned(), text)));
    if supergraph.types.values().any(|def| def.one_of) {
        directives.push(("oneOf".to_owned(), "directive @oneOf on INPUT_OBJECT".to_owned()));
    }
    let own = supergraph.directives.iter();
    directives.extend(own.map(|def| (def.name.to_string(), directive(printer, def))));
    directives.sort();
    directives.into_iter().map(|(_, text)| text).collect()
}

fn directive(printer: &Printer<'_>, def: &MergedDirective) -> String {
    let locations: Vec<String> = def.locations.iter().map(ToString::to_string).collect();
    format!(
        "{}directive @{}{}{} on {}",
        super::description(def.description.as_ref(), ""),
        def.name,
        printer.arguments(&def.arguments, ""),
        if def.repeatable { " repeatable" } else { "" },
        locations.join(" | ")
    )
}

/// Types of the specifications, by name.
pub(super) fn types(supergraph: &Supergraph) -> Vec<(&'static str, String)> {
    let graphs: Vec<String> = supergraph
        .graphs
        .iter()
        .map(|graph| {
            let (name, url) = (quoted(&graph.name), quoted(&graph.url));
            let join = [format!("@join__graph(name: {name}, url: {url})")];
            format!("  {}{}\n", graph.enum_value, joined(&join))
        })
        .collect();
    let mut types = vec![
        ("join__Graph", format!("enum join__Graph {{\n{}}}", graphs.concat())),
        ("link__Import", "scalar link__Import".to_owned()),
        ("link__Purpose", PURPOSE.to_owned()),
    ];
    let join = Join::of(supergraph).types().into_iter();
    types.extend(join.map(|(name, text)| (name, text.to_owned())));
    types.extend(features::scalars(supergraph).map(|name| (name, format!("scalar {name}"))));
    types
}
