//! Writes the SDL of one subgraph of a generated graph.

use std::fmt::Write;

use super::graph::{AbstractType, Field, Graph, ObjectKind, ObjectType, SubgraphNo, WRAPPERS};

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable", "@external", "@requires", "@provides", "@override", "@inaccessible", "@interfaceObject"])"#;
const INPUT: &str = "input Input { a: Int! b: String = \"b\" more: [Input!] }\n";

pub(crate) fn name(subgraph: SubgraphNo) -> String {
    format!("s{subgraph}")
}

pub(crate) fn sdl(graph: &Graph, subgraph: SubgraphNo) -> String {
    let mut writer = Writer { graph, subgraph, text: format!("{LINK}\n") };
    for definition in graph.enums.iter().filter(|definition| definition.here.contains(&subgraph)) {
        let _ =
            writeln!(writer.text, "enum {} {{ {} }}", definition.name, definition.values.join(" "));
    }
    for index in 0..graph.interfaces.len() {
        writer.interface(index);
    }
    for union in graph.unions.iter().filter(|union| union.here.contains(&subgraph)) {
        let members = writer.possible(union).join(" | ");
        let _ = writeln!(writer.text, "union {} = {members}", union.name);
    }
    for index in 0..graph.objects.len() {
        writer.object(index);
    }
    if writer.text.contains("Input") {
        writer.text.push_str(INPUT);
    }
    writer.text
}

struct Writer<'a> {
    graph: &'a Graph,
    subgraph: SubgraphNo,
    text: String,
}

impl Writer<'_> {
    fn possible(&self, ty: &AbstractType) -> Vec<&str> {
        let objects = ty.possible.iter().map(|object| &self.graph.objects[*object]);
        objects
            .filter(|object| object.here.contains_key(&self.subgraph))
            .map(|object| object.name.as_str())
            .collect()
    }

    fn interface(&mut self, index: usize) {
        let interface = &self.graph.interfaces[index];
        if let Some(object) = &interface.object
            && object.by == self.subgraph
        {
            let implements = object.implements.map(|wider| &self.graph.interfaces[wider].name);
            let implements = implements.map(|name| format!(" implements {name}"));
            let implements = implements.unwrap_or_default();
            let _ = writeln!(
                self.text,
                "type {}{implements} @key(fields: \"id\") @interfaceObject {{\n  id: ID!",
                interface.name
            );
            for field in &object.fields {
                self.field(field);
            }
            self.text.push_str("}\n");
            return;
        }
        if !interface.here.contains(&self.subgraph) {
            return;
        }
        let is_home = interface.object.as_ref().is_some_and(|object| object.home == self.subgraph);
        let key = if is_home { " @key(fields: \"id\")" } else { "" };
        let _ = writeln!(self.text, "interface {}{key} {{", interface.name);
        for field in self.graph.interface_fields(index, self.subgraph) {
            self.signature(field);
            self.text.push('\n');
        }
        self.text.push_str("}\n");
    }

    fn object(&mut self, index: usize) {
        let object = &self.graph.objects[index];
        let fields: Vec<&Field> = object.fields.iter().filter(|field| self.has(field)).collect();
        let keys = object.here.get(&self.subgraph);
        if fields.is_empty() || (object.kind != ObjectKind::Root && keys.is_none()) {
            return;
        }
        let _ = write!(self.text, "type {}", object.name);
        let interfaces = self.graph.interfaces.iter().filter(|interface| {
            interface.here.contains(&self.subgraph) && interface.possible.contains(&index)
        });
        for (position, interface) in interfaces.enumerate() {
            let separator = if position == 0 { " implements" } else { " &" };
            let _ = write!(self.text, "{separator} {}", interface.name);
        }
        for &(key, resolvable) in keys.into_iter().flatten() {
            let ObjectType { keys, .. } = object;
            let resolvable = if resolvable { "" } else { ", resolvable: false" };
            let _ = write!(self.text, " @key(fields: {:?}{resolvable})", keys[key].set);
        }
        self.text.push_str(" {\n");
        for field in fields {
            self.field(field);
        }
        self.text.push_str("}\n");
    }

    fn has(&self, field: &Field) -> bool {
        field.owners.contains(&self.subgraph)
            || field.external.contains(&self.subgraph)
            || field.overridden == Some(self.subgraph)
    }

    fn field(&mut self, field: &Field) {
        self.signature(field);
        let owns = field.owners.contains(&self.subgraph);
        if !owns && field.external.contains(&self.subgraph) {
            self.text.push_str(" @external");
        } else if field.owners.len() > 1 || field.provided {
            self.text.push_str(" @shareable");
        }
        if owns {
            if let Some(set) = &field.requires {
                let _ = write!(self.text, " @requires(fields: {set:?})");
            }
            if let Some(set) = &field.provides {
                let _ = write!(self.text, " @provides(fields: {set:?})");
            }
            if let Some(from) = field.overridden {
                let _ = write!(self.text, " @override(from: {:?})", name(from));
            }
            if field.inaccessible {
                self.text.push_str(" @inaccessible");
            }
        }
        self.text.push('\n');
    }

    fn signature(&mut self, field: &Field) {
        let _ = write!(self.text, "  {}", field.name);
        for (position, argument) in field.arguments.iter().enumerate() {
            let separator = if position == 0 { "(" } else { ", " };
            let _ = write!(self.text, "{separator}{}: {}", argument.name, argument.ty);
            if let Some(default) = argument.default {
                let _ = write!(self.text, " = {default}");
            }
        }
        if !field.arguments.is_empty() {
            self.text.push(')');
        }
        let ty = WRAPPERS[field.wrapper].replace("{}", self.graph.type_name(field.named));
        let _ = write!(self.text, ": {ty}");
    }
}
