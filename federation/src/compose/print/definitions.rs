//! The constant part of a supergraph: schema, directive definitions, the types of the `join` and `link` specifications.

use std::fmt::{self, Write};

use super::{Supergraph, quoted};
use crate::compose::merge::{MergedField, MergedInput};
use crate::compose::subgraph::{Marks, ROOTS};

const LINK_AND_JOIN: &str = r#"
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
"#;

const INACCESSIBLE: &str = "
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
";

const TAG: &str = "
directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA
";

const ONE_OF: &str = "
directive @oneOf on INPUT_OBJECT
";

const TYPES: &str = r#"
scalar join__FieldSet
scalar link__Import
enum link__Purpose {
  "`SECURITY` features provide metadata necessary to securely resolve fields."
  SECURITY
  "`EXECUTION` features provide metadata necessary for operation execution."
  EXECUTION
}
"#;

pub(super) fn write(f: &mut fmt::Formatter<'_>, supergraph: &Supergraph) -> fmt::Result {
    let inaccessible = any_marks(supergraph, |marks| marks.inaccessible);
    let tags = any_marks(supergraph, |marks| !marks.tags.is_empty());
    f.write_str("schema @link(url: \"https://specs.apollo.dev/link/v1.0\")")?;
    f.write_str(" @link(url: \"https://specs.apollo.dev/join/v0.3\", for: EXECUTION)")?;
    if tags {
        f.write_str(" @link(url: \"https://specs.apollo.dev/tag/v0.3\")")?;
    }
    if inaccessible {
        f.write_str(" @link(url: \"https://specs.apollo.dev/inaccessible/v0.2\", for: SECURITY)")?;
    }
    f.write_str(" {\n")?;
    for root in ROOTS
        .into_iter()
        .filter(|root| supergraph.types.contains_key(*root))
    {
        writeln!(f, "{}: {root}", root.to_ascii_lowercase())?;
    }
    f.write_str("}\n")?;
    if inaccessible {
        f.write_str(INACCESSIBLE)?;
    }
    f.write_str(LINK_AND_JOIN)?;
    if supergraph.types.values().any(|def| def.one_of) {
        f.write_str(ONE_OF)?;
    }
    if tags {
        f.write_str(TAG)?;
    }
    f.write_str(TYPES)?;
    f.write_str("enum join__Graph {\n")?;
    for graph in &supergraph.graphs {
        let (name, url) = (quoted(&graph.name), quoted(&graph.url));
        writeln!(
            f,
            "{} @join__graph(name: {name}, url: {url})",
            graph.enum_value
        )?;
    }
    f.write_char('}')?;
    f.write_char('\n')
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
