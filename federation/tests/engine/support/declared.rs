//! Makes mock subgraphs of their own SDLs: what remains without the federation directives is the schema that operations are
//! validated with; the directives become the rules that the mock watches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use apollo_compiler::Node;
use apollo_compiler::Schema;
use apollo_compiler::ast::{Definition, DirectiveList, Document, FieldDefinition};
use federation::SubgraphSdl;

use super::subgraph::{FieldRule, KeyRule, Subgraph};

pub(crate) fn subgraphs(sdls: &[SubgraphSdl]) -> Vec<Subgraph> {
    let mut declared: Vec<Declared> = sdls.iter().map(Declared::read).collect();
    let mut implementations: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut overridden = Vec::new();
    for subgraph in &declared {
        for (interface, object) in &subgraph.implementations {
            implementations.entry(interface.clone()).or_default().insert(object.clone());
        }
        overridden.extend(subgraph.overrides.clone());
    }
    for (from, ty, field) in overridden {
        let rules = declared.iter_mut().filter(|subgraph| subgraph.name == from);
        for rule in rules.flat_map(|subgraph| &mut subgraph.rules) {
            rule.external |= rule.ty == ty && rule.field == field;
        }
    }
    declared
        .into_iter()
        .map(|subgraph| Subgraph {
            schema: subgraph.schema(),
            name: subgraph.name,
            rules: subgraph.rules,
            keys: subgraph.keys,
            implementations: implementations.clone(),
        })
        .collect()
}

struct Declared {
    name: String,
    /// Without federation.
    sdl: String,
    entities: BTreeSet<String>,
    rules: Vec<FieldRule>,
    keys: Vec<KeyRule>,
    /// Interface and object type.
    implementations: Vec<(String, String)>,
    /// The subgraph overridden, type and field.
    overrides: Vec<(String, String, String)>,
}

impl Declared {
    fn read(subgraph: &SubgraphSdl) -> Self {
        let mut document = Document::parse(&subgraph.sdl, &subgraph.name).unwrap();
        let mut declared = Self {
            name: subgraph.name.clone(),
            sdl: String::new(),
            entities: BTreeSet::new(),
            rules: Vec::new(),
            keys: Vec::new(),
            implementations: Vec::new(),
            overrides: Vec::new(),
        };
        document.definitions.retain(|definition| {
            !matches!(definition, Definition::SchemaExtension(_) | Definition::SchemaDefinition(_))
        });
        for definition in &mut document.definitions {
            declared.definition(definition);
        }
        declared.sdl = document.to_string();
        declared
    }

    fn definition(&mut self, definition: &mut Definition) {
        match definition {
            Definition::ObjectTypeDefinition(node) => {
                let object = node.make_mut();
                let interfaces = &object.implements_interfaces;
                self.object(&object.name, false, &object.directives, interfaces, &object.fields);
                strip(&mut object.directives, &mut object.fields);
            }
            Definition::ObjectTypeExtension(node) => {
                let object = node.make_mut();
                let interfaces = &object.implements_interfaces;
                self.object(&object.name, true, &object.directives, interfaces, &object.fields);
                strip(&mut object.directives, &mut object.fields);
            }
            Definition::InterfaceTypeDefinition(node) => {
                let interface = node.make_mut();
                self.note_keys(&interface.name, &interface.directives);
                strip(&mut interface.directives, &mut interface.fields);
            }
            Definition::UnionTypeDefinition(node) => node.make_mut().directives.clear(),
            Definition::EnumTypeDefinition(node) => {
                let definition = node.make_mut();
                definition.directives.clear();
                for value in &mut definition.values {
                    value.make_mut().directives.clear();
                }
            }
            Definition::InputObjectTypeDefinition(node) => {
                let input = node.make_mut();
                input.directives.clear();
                for field in &mut input.fields {
                    field.make_mut().directives.clear();
                }
            }
            _ => {}
        }
    }

    fn note_keys(&mut self, ty: &str, directives: &DirectiveList) {
        for key in directives.get_all("key") {
            let resolvable = key.specified_argument_by_name("resolvable");
            self.keys.push(KeyRule {
                ty: ty.to_owned(),
                set: text(key, "fields").unwrap(),
                resolvable: resolvable.and_then(|value| value.to_bool()) != Some(false),
            });
        }
    }

    fn object(
        &mut self,
        name: &str,
        is_extension: bool,
        directives: &DirectiveList,
        interfaces: &[apollo_compiler::Name],
        fields: &[Node<FieldDefinition>],
    ) {
        let keys: Vec<_> =
            directives.get_all("key").filter_map(|key| text(key, "fields")).collect();
        if !keys.is_empty() {
            self.entities.insert(name.to_owned());
        }
        self.note_keys(name, directives);
        let implementations =
            interfaces.iter().map(|interface| (interface.to_string(), name.into()));
        self.implementations.extend(implementations);
        let is_extension = is_extension || directives.has("extends");
        for field in fields {
            // An extension resolves the fields of its keys, whatever it calls them.
            let is_key = keys.iter().any(|key| {
                key.split(|c: char| !c.is_alphanumeric()).any(|word| field.name == word)
            });
            let external = field.directives.has("external") || directives.has("external");
            self.rules.push(FieldRule {
                ty: name.to_owned(),
                field: field.name.to_string(),
                external: external && !(is_extension && is_key),
                requires: directive_text(&field.directives, "requires", "fields"),
                provides: directive_text(&field.directives, "provides", "fields"),
            });
            if let Some(from) = directive_text(&field.directives, "override", "from")
                && directive_text(&field.directives, "override", "label").is_none()
            {
                self.overrides.push((from, name.to_owned(), field.name.to_string()));
            }
        }
    }

    fn keys(&mut self, name: &str, directives: &DirectiveList) {
        for key in directives.get_all("key") {
            let resolvable = key.specified_argument_by_name("resolvable");
            self.keys.push(KeyRule {
                ty: name.to_owned(),
                set: text(key, "fields").unwrap(),
                resolvable: resolvable.and_then(|value| value.to_bool()) != Some(false),
            });
        }
    }

    fn schema(&self) -> apollo_compiler::validation::Valid<Schema> {
        let mut sdl = self.sdl.clone();
        if self.entities.is_empty() {
            sdl.push_str("extend type Query { _service: String }");
        } else {
            let union: Vec<_> = self.entities.iter().map(String::as_str).collect();
            let _ = write!(
                sdl,
                "scalar _Any union _Entity = {} extend type Query {{ _entities(representations: [_Any!]!): [_Entity]! }}",
                union.join(" | ")
            );
        }
        Schema::builder()
            .adopt_orphan_extensions()
            .parse(sdl.clone(), format!("{}.graphql", self.name))
            .build()
            .and_then(Schema::validate)
            .unwrap_or_else(|invalid| panic!("{sdl}\n{}", invalid.errors))
    }
}

fn strip(directives: &mut DirectiveList, fields: &mut [Node<FieldDefinition>]) {
    directives.clear();
    for field in fields {
        let field = field.make_mut();
        field.directives.clear();
        for argument in &mut field.arguments {
            argument.make_mut().directives.clear();
        }
    }
}

fn text(directive: &apollo_compiler::ast::Directive, name: &str) -> Option<String> {
    let value = directive.specified_argument_by_name(name)?;
    value.as_str().map(ToOwned::to_owned)
}

fn directive_text(directives: &DirectiveList, directive: &str, argument: &str) -> Option<String> {
    text(directives.get(directive)?, argument)
}
