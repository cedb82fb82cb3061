//! Writes a merged schema as supergraph SDL: the `join` directives say which subgraph has what.
//!
//! Format: <https://specs.apollo.dev/join/v0.3/> and <https://specs.apollo.dev/link/v1.0/>. Types are sorted by name;
//! within them everything is in the order in which the subgraphs, sorted by name, declare it.

mod definitions;

use std::fmt::{self, Display};

use apollo_compiler::Node;
use apollo_compiler::ast::{Document, Value};

use crate::compose::merge::{
    FieldSource, GraphId, JoinType, MergedField, MergedInput, MergedType, Supergraph,
};
use crate::compose::subgraph::{Kind, Marks};

/// The supergraph SDL.
pub(super) fn print(supergraph: &Supergraph) -> String {
    let text = Printer { supergraph }.to_string();
    // The text is laid out by the parser's own serialiser; the printer below only has to be correct.
    match Document::parse(text.as_str(), "supergraph.graphql") {
        Ok(document) => document.to_string(),
        Err(_) => text,
    }
}

struct Printer<'a> {
    supergraph: &'a Supergraph,
}

impl Display for Printer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        definitions::write(f, self.supergraph)?;
        let mut types: Vec<&MergedType> = self.supergraph.types.values().collect();
        types.sort_by_key(|def| (def.name.to_ascii_lowercase(), &def.name));
        types.into_iter().try_for_each(|def| self.type_def(f, def))
    }
}

impl Printer<'_> {
    fn graph(&self, graph: GraphId) -> &str {
        &self.supergraph.graphs[graph].enum_value
    }

    fn type_def(&self, f: &mut fmt::Formatter<'_>, def: &MergedType) -> fmt::Result {
        write!(
            f,
            "\n{}{} {}",
            description(def.description.as_ref()),
            keyword(def.kind),
            def.name
        )?;
        let interfaces: Vec<&str> = def
            .interfaces()
            .into_iter()
            .map(|name| name.as_str())
            .collect();
        if !interfaces.is_empty() {
            write!(f, " implements {}", interfaces.join(" & "))?;
        }
        for (graph, interface) in &def.implements {
            write!(
                f,
                " @join__implements(graph: {}, interface: \"{interface}\")",
                self.graph(*graph)
            )?;
        }
        def.joins
            .iter()
            .try_for_each(|join| self.join_type(f, join))?;
        for (graph, member) in &def.members {
            write!(
                f,
                " @join__unionMember(graph: {}, member: \"{member}\")",
                self.graph(*graph)
            )?;
        }
        if let Some(url) = &def.specified_by {
            write!(f, " @specifiedBy(url: {})", quoted(url))?;
        }
        if def.one_of {
            write!(f, " @oneOf")?;
        }
        marks(f, &def.marks)?;
        match def.kind {
            Kind::Scalar => writeln!(f),
            Kind::Union => {
                let members: Vec<&str> = def
                    .member_names()
                    .into_iter()
                    .map(|name| name.as_str())
                    .collect();
                writeln!(f, " = {}", members.join(" | "))
            }
            Kind::Object | Kind::Interface | Kind::Enum | Kind::InputObject => {
                writeln!(f, " {{")?;
                def.fields
                    .values()
                    .try_for_each(|field| self.field(f, field))?;
                def.input_fields
                    .values()
                    .try_for_each(|field| self.input_field(f, field))?;
                self.enum_values(f, def)?;
                writeln!(f, "}}")
            }
        }
    }

    fn join_type(&self, f: &mut fmt::Formatter<'_>, join: &JoinType) -> fmt::Result {
        write!(f, " @join__type(graph: {}", self.graph(join.graph))?;
        if let Some(key) = &join.key {
            write!(f, ", key: {}", quoted(key))?;
        }
        if join.extension {
            write!(f, ", extension: true")?;
        }
        if !join.resolvable {
            write!(f, ", resolvable: false")?;
        }
        write!(f, ")")
    }

    fn field(&self, f: &mut fmt::Formatter<'_>, field: &MergedField) -> fmt::Result {
        write!(
            f,
            "{}{}",
            description(field.description.as_ref()),
            field.name
        )?;
        if !field.arguments.is_empty() {
            write!(f, "(")?;
            for argument in field.arguments.values() {
                write!(f, " ")?;
                input(f, argument)?;
                marks(f, &argument.marks)?;
            }
            write!(f, ")")?;
        }
        write!(f, ": {}", field.ty)?;
        if field.needs_join {
            field
                .sources
                .iter()
                .try_for_each(|source| self.join_field(f, source))?;
        }
        marks(f, &field.marks)?;
        writeln!(f)
    }

    fn join_field(&self, f: &mut fmt::Formatter<'_>, source: &FieldSource) -> fmt::Result {
        write!(f, " @join__field(graph: {}", self.graph(source.graph))?;
        let texts = [
            ("requires", source.requires.clone()),
            ("provides", source.provides.clone()),
            ("type", source.ty.as_ref().map(ToString::to_string)),
            ("override", source.override_from.clone()),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                write!(f, ", {name}: {}", quoted(&text))?;
            }
        }
        if source.external {
            write!(f, ", external: true")?;
        }
        if source.used_overridden {
            write!(f, ", usedOverridden: true")?;
        }
        write!(f, ")")
    }

    fn input_field(&self, f: &mut fmt::Formatter<'_>, field: &MergedInput) -> fmt::Result {
        input(f, field)?;
        for (graph, ty) in &field.source_types {
            write!(
                f,
                " @join__field(graph: {}, type: \"{ty}\")",
                self.graph(*graph)
            )?;
        }
        marks(f, &field.marks)?;
        writeln!(f)
    }

    fn enum_values(&self, f: &mut fmt::Formatter<'_>, def: &MergedType) -> fmt::Result {
        for value in def.values.values() {
            write!(
                f,
                "{}{}",
                description(value.description.as_ref()),
                value.name
            )?;
            for graph in &value.graphs {
                write!(f, " @join__enumValue(graph: {})", self.graph(*graph))?;
            }
            marks(f, &value.marks)?;
            writeln!(f)?;
        }
        Ok(())
    }
}

fn keyword(kind: Kind) -> &'static str {
    match kind {
        Kind::Scalar => "scalar",
        Kind::Object => "type",
        Kind::Interface => "interface",
        Kind::Union => "union",
        Kind::Enum => "enum",
        Kind::InputObject => "input",
    }
}

/// Name, type and default of an argument or input field.
fn input(f: &mut fmt::Formatter<'_>, value: &MergedInput) -> fmt::Result {
    write!(
        f,
        "{}{}: {}",
        description(value.description.as_ref()),
        value.name,
        value.ty
    )?;
    match &value.default {
        Some(default) => write!(f, " = {default}"),
        None => Ok(()),
    }
}

fn marks(f: &mut fmt::Formatter<'_>, marks: &Marks) -> fmt::Result {
    for tag in &marks.tags {
        write!(f, " @tag(name: {})", quoted(tag))?;
    }
    if marks.inaccessible {
        write!(f, " @inaccessible")?;
    }
    if let Some(reason) = &marks.deprecated {
        write!(f, " @deprecated(reason: {})", quoted(reason))?;
    }
    Ok(())
}

fn description(text: Option<&Node<str>>) -> String {
    text.map(|text| format!("{} ", quoted(text)))
        .unwrap_or_default()
}

fn quoted(text: &str) -> Value {
    Value::String(text.to_owned())
}
