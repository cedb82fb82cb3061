//! Makes a mock of any subgraph, given its SDL: the schema without the directives of federation, and what these say.

use std::fmt::Write;

use apollo_compiler::Schema;
use apollo_compiler::ast::Directive;
use apollo_compiler::schema::{ExtendedType, FieldDefinition};

use super::subgraph::{FieldRule, KeyRule, Subgraph};

pub(crate) fn subgraph(name: &str, sdl: &str) -> Subgraph {
    let mut schema = Schema::builder()
        .adopt_orphan_extensions()
        .parse(sdl, format!("{name}.graphql"))
        .build()
        .unwrap_or_else(|invalid| panic!("{name}: {}", invalid.errors));
    let mut rules = Rules::default();
    schema.schema_definition.make_mut().directives.0.clear();
    for (name, ty) in &mut schema.types {
        match ty {
            ExtendedType::Object(object) => {
                let object = object.make_mut();
                rules.keys(name, object.directives.iter().map(|directive| &***directive));
                object.directives.0.clear();
                for field in object.fields.values_mut() {
                    rules.field(name, field.make_mut());
                }
            }
            ExtendedType::Interface(interface) => {
                let interface = interface.make_mut();
                interface.directives.0.clear();
                for field in interface.fields.values_mut() {
                    field.make_mut().directives.0.clear();
                }
            }
            _ => {}
        }
    }
    let text = with_entities(&schema, &rules.keys);
    let schema = Schema::parse_and_validate(&text, format!("{name}.graphql"))
        .unwrap_or_else(|invalid| panic!("{text}\n{}", invalid.errors));
    Subgraph { name: name.to_owned(), schema, rules: rules.fields, keys: rules.keys }
}

fn with_entities(schema: &Schema, keys: &[KeyRule]) -> String {
    let mut text = schema.to_string();
    let has_query = schema.types.contains_key("Query");
    let opening = if has_query { "extend type Query" } else { "type Query" };
    let mut entities: Vec<&str> = keys.iter().map(|key| key.ty.as_str()).collect();
    entities.dedup();
    if entities.is_empty() {
        let _ = writeln!(text, "{opening} {{ _service: String }}");
    } else {
        let _ = writeln!(
            text,
            "{opening} {{ _entities(representations: [_Any!]!): [_Entity]! }}\nscalar _Any\nunion _Entity = {}",
            entities.join(" | ")
        );
    }
    text
}

#[derive(Default)]
struct Rules {
    keys: Vec<KeyRule>,
    fields: Vec<FieldRule>,
}

impl Rules {
    fn keys<'a>(&mut self, ty: &str, directives: impl Iterator<Item = &'a Directive>) {
        for key in directives.filter(|directive| directive.name == "key") {
            let resolvable = key
                .specified_argument_by_name("resolvable")
                .and_then(|value| value.to_bool())
                .unwrap_or(true);
            self.keys.push(KeyRule {
                ty: ty.to_owned(),
                set: text(key, "fields").unwrap(),
                resolvable,
            });
        }
    }

    fn field(&mut self, ty: &str, field: &mut FieldDefinition) {
        let directive = |name| field.directives.get(name);
        self.fields.push(FieldRule {
            ty: ty.to_owned(),
            field: field.name.to_string(),
            external: directive("external").is_some(),
            requires: directive("requires").and_then(|directive| text(directive, "fields")),
            provides: directive("provides").and_then(|directive| text(directive, "fields")),
        });
        field.directives.0.clear();
    }
}

fn text(directive: &Directive, argument: &str) -> Option<String> {
    directive.specified_argument_by_name(argument)?.as_str().map(ToOwned::to_owned)
}
