//! Gets each subgraph's schema back out of a supergraph, as text that its mock validates operations with.

use std::fmt::Write;

use apollo_compiler::Schema;
use apollo_compiler::ast::{Directive, FieldDefinition, Value};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;

use super::subgraph::{FieldRule, Subgraph};

pub(crate) fn subgraphs(supergraph: &str) -> Vec<Subgraph> {
    let schema = Schema::parse_and_validate(supergraph, "supergraph.graphql").unwrap();
    let graphs = schema.get_enum("join__Graph").unwrap();
    graphs
        .values
        .iter()
        .map(|(id, value)| {
            let name = text(value.directives.get("join__graph").unwrap(), "name").unwrap();
            let mut extraction = Extraction {
                schema: &schema,
                graph: id.as_str(),
                sdl: String::new(),
                entities: Vec::new(),
                rules: Vec::new(),
            };
            extraction.types();
            let sdl = extraction.sdl;
            let schema = Schema::parse_and_validate(&sdl, format!("{name}.graphql"))
                .unwrap_or_else(|errors| panic!("{sdl}\n{errors}"));
            Subgraph {
                name: name.to_owned(),
                schema,
                rules: extraction.rules,
                keys: Vec::new(),
                implementations: std::collections::BTreeMap::new(),
            }
        })
        .collect()
}

struct Extraction<'a> {
    schema: &'a Valid<Schema>,
    graph: &'a str,
    sdl: String,
    entities: Vec<String>,
    rules: Vec<FieldRule>,
}

impl Extraction<'_> {
    fn types(&mut self) {
        for (name, ty) in &self.schema.types {
            let machinery = ["join__", "link__", "__"];
            if machinery.iter().any(|prefix| name.starts_with(prefix)) || ty.is_built_in() {
                continue;
            }
            let joined = ty.directives().get_all("join__type").any(|join| self.is_here(join));
            if joined && name != "Query" {
                self.ty(ty);
            }
        }
        let query = self.schema.types["Query"].clone();
        self.sdl.push_str("type Query {\n");
        if let ExtendedType::Object(query) = &query {
            for field in query.fields.values() {
                self.field("Query", field, true);
            }
        }
        if self.entities.is_empty() {
            self.sdl.push_str("  _service: String\n}\n");
        } else {
            let union = self.entities.join(" | ");
            let _ = write!(
                self.sdl,
                "  _entities(representations: [_Any!]!): [_Entity]!\n}}\nscalar _Any\nunion _Entity = {union}\n"
            );
        }
    }

    fn ty(&mut self, ty: &ExtendedType) {
        let name = ty.name();
        match ty {
            ExtendedType::Scalar(_) => {
                let _ = writeln!(self.sdl, "scalar {name}");
            }
            ExtendedType::Object(object) => {
                let has_key = object
                    .directives
                    .get_all("join__type")
                    .any(|join| self.is_here(join) && text(join, "key").is_some());
                if has_key {
                    self.entities.push(name.to_string());
                }
                let interfaces = interfaces(&object.directives, self.graph);
                let _ = writeln!(self.sdl, "type {name}{interfaces} {{");
                for field in object.fields.values() {
                    self.field(name, field, true);
                }
                self.sdl.push_str("}\n");
            }
            ExtendedType::Interface(interface) => {
                let _ = writeln!(self.sdl, "interface {name} {{");
                for field in interface.fields.values() {
                    self.field(name, field, false);
                }
                self.sdl.push_str("}\n");
            }
            ExtendedType::Union(union) => {
                let members: Vec<_> = union
                    .directives
                    .get_all("join__unionMember")
                    .filter(|join| self.is_here(join))
                    .filter_map(|join| text(join, "member"))
                    .collect();
                let _ = writeln!(self.sdl, "union {name} = {}", members.join(" | "));
            }
            ExtendedType::Enum(definition) => {
                let values: Vec<_> = definition.values.keys().map(|name| name.as_str()).collect();
                let _ = writeln!(self.sdl, "enum {name} {{ {} }}", values.join(" "));
            }
            ExtendedType::InputObject(input) => {
                let _ = writeln!(self.sdl, "input {name} {{");
                for field in input.fields.values() {
                    let _ = write!(self.sdl, "  {}: {}", field.name, field.ty);
                    if let Some(default) = &field.default_value {
                        let _ = write!(self.sdl, " = {default}");
                    }
                    self.sdl.push('\n');
                }
                self.sdl.push_str("}\n");
            }
        }
    }

    fn field(&mut self, parent: &str, field: &FieldDefinition, rules: bool) {
        let joins: Vec<_> = field.directives.get_all("join__field").collect();
        let here = joins.iter().find(|join| self.is_here(join));
        if !joins.is_empty() && here.is_none() {
            return;
        }
        let parent_is_here = self.schema.types[parent]
            .directives()
            .get_all("join__type")
            .any(|join| self.is_here(join));
        if !parent_is_here {
            return;
        }
        let ty = here
            .and_then(|join| text(join, "type"))
            .map_or_else(|| field.ty.to_string(), ToOwned::to_owned);
        let _ = write!(self.sdl, "  {}", field.name);
        for (position, argument) in field.arguments.iter().enumerate() {
            let separator = if position == 0 { "(" } else { ", " };
            let _ = write!(self.sdl, "{separator}{}: {}", argument.name, argument.ty);
            if let Some(default) = &argument.default_value {
                let _ = write!(self.sdl, " = {default}");
            }
        }
        if !field.arguments.is_empty() {
            self.sdl.push(')');
        }
        let _ = writeln!(self.sdl, ": {ty}");
        if let Some(join) = here
            && rules
        {
            let flag = |name| {
                join.specified_argument_by_name(name).and_then(|value| value.to_bool())
                    == Some(true)
            };
            self.rules.push(FieldRule {
                ty: parent.to_owned(),
                field: field.name.to_string(),
                external: flag("external"),
                requires: text(join, "requires").map(ToOwned::to_owned),
                provides: text(join, "provides").map(ToOwned::to_owned),
            });
        }
    }

    fn is_here(&self, join: &Directive) -> bool {
        join.specified_argument_by_name("graph")
            .and_then(|graph| graph.as_enum())
            .is_some_and(|graph| graph == self.graph)
    }
}

fn interfaces(directives: &apollo_compiler::schema::DirectiveList, graph: &str) -> String {
    let names: Vec<_> = directives
        .get_all("join__implements")
        .filter(|join| {
            join.specified_argument_by_name("graph")
                .and_then(|value| value.as_enum())
                .is_some_and(|name| name == graph)
        })
        .filter_map(|join| text(join, "interface"))
        .collect();
    if names.is_empty() { String::new() } else { format!(" implements {}", names.join(" & ")) }
}

fn text<'a>(directive: &'a Directive, name: &str) -> Option<&'a str> {
    directive.specified_argument_by_name(name).and_then(|value| Value::as_str(value))
}
