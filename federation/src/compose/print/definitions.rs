//! What a supergraph has besides its types: the schema with its links, directive definitions, and the types of the
//! `join` and `link` specifications.

use super::{Supergraph, quoted};
use crate::compose::merge::{MergedField, MergedInput};
use crate::compose::subgraph::{Marks, ROOTS};

const LINK_AND_JOIN: [&str; 7] = [
    "directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE",
    "directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION",
    "directive @join__graph(name: String!, url: String!) on ENUM_VALUE",
    "directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE",
    "directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR",
    "directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION",
    "directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA",
];

const INACCESSIBLE: &str = "directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION";

const ONE_OF: &str = "directive @oneOf on INPUT_OBJECT";

const TAG: &str = "directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA";

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
pub(super) fn schema(supergraph: &Supergraph) -> String {
    let mut text = "schema\n  @link(url: \"https://specs.apollo.dev/link/v1.0\")\n".to_owned();
    text += "  @link(url: \"https://specs.apollo.dev/join/v0.3\", for: EXECUTION)\n";
    if has_tags(supergraph) {
        text += "  @link(url: \"https://specs.apollo.dev/tag/v0.3\")\n";
    }
    if has_inaccessible(supergraph) {
        text += "  @link(url: \"https://specs.apollo.dev/inaccessible/v0.2\", for: SECURITY)\n";
    }
    text += "{\n";
    for root in ROOTS.into_iter().filter(|root| supergraph.types.contains_key(*root)) {
        text += &format!("  {}: {root}\n", root.to_ascii_lowercase());
    }
    text + "}"
}

/// Definitions of the directives that the supergraph uses, sorted by name.
pub(super) fn directives(supergraph: &Supergraph) -> Vec<String> {
    let mut directives = Vec::new();
    directives.extend(has_inaccessible(supergraph).then_some(INACCESSIBLE));
    directives.extend(LINK_AND_JOIN);
    directives.extend(supergraph.types.values().any(|def| def.one_of).then_some(ONE_OF));
    directives.extend(has_tags(supergraph).then_some(TAG));
    directives.into_iter().map(str::to_owned).collect()
}

/// Types of the specifications, by name.
pub(super) fn types(supergraph: &Supergraph) -> Vec<(&str, String)> {
    let graphs: Vec<String> = supergraph
        .graphs
        .iter()
        .map(|graph| {
            let (name, url) = (quoted(&graph.name), quoted(&graph.url));
            format!("  {} @join__graph(name: {name}, url: {url})\n", graph.enum_value)
        })
        .collect();
    vec![
        ("join__FieldSet", "scalar join__FieldSet".to_owned()),
        ("join__Graph", format!("enum join__Graph {{\n{}}}", graphs.concat())),
        ("link__Import", "scalar link__Import".to_owned()),
        ("link__Purpose", PURPOSE.to_owned()),
    ]
}

fn has_tags(supergraph: &Supergraph) -> bool {
    any_marks(supergraph, |marks| !marks.tags.is_empty())
}

fn has_inaccessible(supergraph: &Supergraph) -> bool {
    any_marks(supergraph, |marks| marks.inaccessible)
}

/// Whether anything in the supergraph is annotated so.
fn any_marks(supergraph: &Supergraph, test: impl Fn(&Marks) -> bool) -> bool {
    let input = |value: &MergedInput| test(&value.marks);
    let field = |field: &MergedField| test(&field.marks) || field.arguments.values().any(input);
    supergraph.types.values().any(|def| {
        test(&def.marks)
            || def.fields.values().any(field)
            || def.input_fields.values().any(input)
            || def.values.values().any(|value| test(&value.marks))
    })
}
