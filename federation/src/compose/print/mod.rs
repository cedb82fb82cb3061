//! Writes a merged schema as supergraph SDL: the `join` directives say which subgraph has what.
//!
//! Format: <https://specs.apollo.dev/join/v0.5/> and <https://specs.apollo.dev/link/v1.0/>. Types are sorted by name;
//! within them everything is in the order in which the subgraphs, sorted by name, declare it.

mod definitions;
mod features;
mod marks;
mod schema;
mod text;

use apollo_compiler::Name;
use apollo_compiler::collections::IndexMap;

use crate::compose::merge::{
    CacheTag, ContextArgument, FieldSource, GraphId, JoinType, MergedEnumValue, MergedField,
    MergedInput, MergedType, Supergraph,
};
use crate::compose::subgraph::Kind;
pub(super) use schema::schema;
use text::{description, quoted};

/// The supergraph SDL.
pub(super) fn print(supergraph: &Supergraph) -> String {
    let printer = Printer { supergraph };
    let mut types: Vec<(&str, String)> = definitions::types(supergraph);
    types.extend(supergraph.types.values().map(|def| (def.name.as_str(), printer.type_def(def))));
    types.sort_by_key(|(name, _)| by_name(name));

    let mut parts = printer.head();
    parts.extend(types.into_iter().map(|(_, text)| text));
    parts.join("\n\n") + "\n"
}

/// The types of `supergraph` in the order of the text.
fn sorted(supergraph: &Supergraph) -> impl Iterator<Item = &MergedType> {
    let mut types: Vec<&MergedType> = supergraph.types.values().collect();
    types.sort_by_key(|def| by_name(&def.name));
    types.into_iter()
}

fn by_name(name: &str) -> (String, &str) {
    (name.to_ascii_lowercase(), name)
}

struct Printer<'a> {
    supergraph: &'a Supergraph,
}

impl Printer<'_> {
    /// The schema definition and the definitions of directives.
    fn head(&self) -> Vec<String> {
        let mut parts = vec![definitions::schema(self)];
        parts.extend(definitions::directives(self));
        parts
    }

    /// All that the supergraph has besides its types.
    fn specifications(&self) -> String {
        let mut parts = self.head();
        parts.extend(definitions::types(self.supergraph).into_iter().map(|(_, text)| text));
        parts.join("\n")
    }

    fn graph(&self, graph: GraphId) -> &str {
        &self.supergraph.graphs[graph].enum_value
    }

    fn type_def(&self, def: &MergedType) -> String {
        let mut head = format!("{} {}", keyword(def.kind), def.name);
        let interfaces = names(def.interfaces());
        if !interfaces.is_empty() {
            head = format!("{head} implements {}", interfaces.join(" & "));
        }
        let directives: Vec<String> =
            self.type_directives(def).iter().map(|directive| format!("\n  {directive}")).collect();
        let lines: Vec<String> = match def.kind {
            Kind::Scalar | Kind::Union => Vec::new(),
            Kind::Object | Kind::Interface => {
                def.fields.values().map(|field| self.field(field)).collect()
            }
            Kind::InputObject => {
                def.input_fields.values().map(|field| self.input_field(field)).collect()
            }
            Kind::Enum => def.values.values().map(|value| self.enum_value(value)).collect(),
        };
        let body = match def.kind {
            Kind::Scalar => String::new(),
            Kind::Union => format!("\n  = {}", names(def.member_names()).join(" | ")),
            _ => format!("\n{{\n{}\n}}", lines.join("\n")),
        };
        format!("{}{head}{}{body}", description(def.description.as_ref(), ""), directives.concat())
    }

    fn type_directives(&self, def: &MergedType) -> Vec<String> {
        let implements = def.implements.iter().map(|(graph, interface)| {
            format!("@join__implements(graph: {}, interface: \"{interface}\")", self.graph(*graph))
        });
        let members = def.members.iter().map(|(graph, member)| {
            format!("@join__unionMember(graph: {}, member: \"{member}\")", self.graph(*graph))
        });
        let mut directives: Vec<String> = implements.collect();
        directives.extend(def.joins.iter().map(|join| self.join_type(join)));
        directives.extend(members);
        directives
            .extend(def.specified_by.as_ref().map(|url| marks::written(&marks::specified_by(url))));
        directives.extend(def.one_of.then(|| marks::written(&marks::one_of())));
        directives.extend(self.cache_tags(&def.cache_tags));
        directives.extend(self.mark_directives(&def.marks));
        directives
    }

    fn join_type(&self, join: &JoinType) -> String {
        let mut arguments = vec![format!("graph: {}", self.graph(join.graph))];
        arguments.extend(join.key.as_ref().map(|key| format!("key: {}", quoted(key))));
        arguments.extend(join.extension.then(|| "extension: true".to_owned()));
        arguments.extend((!join.resolvable).then(|| "resolvable: false".to_owned()));
        arguments.extend(join.interface_object.then(|| "isInterfaceObject: true".to_owned()));
        format!("@join__type({})", arguments.join(", "))
    }

    fn field(&self, field: &MergedField) -> String {
        let mut directives = Vec::new();
        if field.sources.is_empty() {
            directives.push("@join__field".to_owned());
        } else if field.needs_join {
            directives.extend(field.sources.iter().map(|source| self.join_field(source)));
        }
        directives.extend(self.cache_tags(&field.cache_tags));
        directives.extend(self.mark_directives(&field.marks));
        format!(
            "{}  {}{}: {}{}",
            description(field.description.as_ref(), "  "),
            field.name,
            self.arguments(&field.arguments, "  "),
            field.ty,
            joined(&directives)
        )
    }

    fn join_field(&self, source: &FieldSource) -> String {
        let mut arguments = vec![format!("graph: {}", self.graph(source.graph))];
        let texts = [
            ("requires", source.requires.clone()),
            ("provides", source.provides.clone()),
            ("type", source.ty.as_ref().map(ToString::to_string)),
            ("override", source.override_from.clone()),
            ("overrideLabel", source.override_label.clone()),
        ];
        for (name, text) in texts {
            arguments.extend(text.map(|text| format!("{name}: {}", quoted(&text))));
        }
        arguments.extend(source.external.then(|| "external: true".to_owned()));
        arguments.extend(source.used_overridden.then(|| "usedOverridden: true".to_owned()));
        if !source.contexts.is_empty() {
            let contexts: Vec<String> = source.contexts.iter().map(context_argument).collect();
            arguments.push(format!("contextArguments: [{}]", contexts.join(", ")));
        }
        format!("@join__field({})", arguments.join(", "))
    }

    fn cache_tags(&self, tags: &[CacheTag]) -> Vec<String> {
        let directive = |tag: &CacheTag| {
            let graphs: Vec<&str> = tag.graphs.iter().map(|graph| self.graph(*graph)).collect();
            format!(
                "@join__directive(graphs: [{}], name: \"federation__cacheTag\", args: {{format: {}}})",
                graphs.join(", "),
                quoted(&tag.format)
            )
        };
        tags.iter().map(directive).collect()
    }

    fn input_field(&self, field: &MergedInput) -> String {
        let joins = field.source_types.iter();
        let mut directives: Vec<String> = joins
            .map(|(graph, ty)| {
                format!("@join__field(graph: {}, type: \"{ty}\")", self.graph(*graph))
            })
            .collect();
        directives.extend(self.mark_directives(&field.marks));
        format!(
            "{}  {}{}",
            description(field.description.as_ref(), "  "),
            input(field),
            joined(&directives)
        )
    }

    /// On one line, unless an argument has a description. `indent` is that of what has the arguments.
    fn arguments(&self, arguments: &IndexMap<Name, MergedInput>, indent: &str) -> String {
        if arguments.is_empty() {
            return String::new();
        }
        let written = |argument: &MergedInput| {
            format!("{}{}", input(argument), joined(&self.mark_directives(&argument.marks)))
        };
        if arguments.values().all(|argument| argument.description.is_none()) {
            let arguments: Vec<String> = arguments.values().map(written).collect();
            return format!("({})", arguments.join(", "));
        }
        let lines: Vec<String> = arguments
            .values()
            .map(|argument| {
                let inner = format!("{indent}  ");
                let description = description(argument.description.as_ref(), &inner);
                format!("{description}{inner}{}\n", written(argument))
            })
            .collect();
        format!("(\n{}{indent})", lines.concat())
    }

    fn enum_value(&self, value: &MergedEnumValue) -> String {
        let graphs = value.graphs.iter();
        let mut directives: Vec<String> = graphs
            .map(|graph| format!("@join__enumValue(graph: {})", self.graph(*graph)))
            .collect();
        directives.extend(self.mark_directives(&value.marks));
        format!(
            "{}  {}{}",
            description(value.description.as_ref(), "  "),
            value.name,
            joined(&directives)
        )
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

fn names(names: Vec<&Name>) -> Vec<&str> {
    names.into_iter().map(|name| name.as_str()).collect()
}

fn joined(directives: &[String]) -> String {
    directives.iter().map(|directive| format!(" {directive}")).collect()
}

/// Name, type and default of an argument or input field.
fn input(value: &MergedInput) -> String {
    match &value.default {
        Some(default) => {
            format!("{}: {} = {}", value.name, value.ty, default.serialize().no_indent())
        }
        None => format!("{}: {}", value.name, value.ty),
    }
}

fn context_argument(argument: &ContextArgument) -> String {
    format!(
        "{{context: {}, name: \"{}\", type: \"{}\", selection: {}}}",
        quoted(&argument.context),
        argument.name,
        argument.ty,
        quoted(&argument.selection)
    )
}
