//! Builds the model of a subgraph from its valid schema: every directive application becomes a field of the model.
//!
//! What is wrong in the arguments of `@key`, `@requires` and `@provides` themselves is reported here, because the
//! model only holds field sets that are valid.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::ast::{
    Definition, Directive, DirectiveDefinition, FieldDefinition, InputValueDefinition, Value,
};
use apollo_compiler::collections::{HashSet, IndexMap};
use apollo_compiler::schema::{Component, ComponentName, DirectiveList, ExtendedType};
use apollo_compiler::validation::Valid;

use super::field_set::{FieldSet, field_set_targets};
use super::links::Links;
use super::marks::{Marks, string, strings_of};
use super::model::{EnumValue, External, Field, InputValue, Key, Kind, Subgraph, TypeDef, Version};
use super::spec::PLACEHOLDER_FIELD;
use super::{composed, contexts};
use crate::compose::SubgraphSdl;
use crate::compose::diagnostic::{Code, Report};

/// Builds the model. `definitions` is the document from which `schema` was built.
pub(super) fn extract(
    input: &SubgraphSdl,
    schema: &Valid<Schema>,
    definitions: &[Definition],
    links: Links,
    directive_names: BTreeMap<&'static str, String>,
    report: &mut Report,
) -> Subgraph {
    let version = links.version;
    let defined: HashSet<&Name> = definitions
        .iter()
        .filter(|definition| !definition.is_extension_definition())
        .filter_map(Definition::name)
        .collect();
    let mut extractor = Extractor { schema, subgraph: &input.name, version, report };
    let types: IndexMap<Name, TypeDef> = schema
        .types
        .values()
        .filter(|def| !def.is_built_in() && !def.name().starts_with("federation__"))
        .map(|def| (def.name().clone(), extractor.type_def(def, !defined.contains(def.name()))))
        .collect();
    let on_schema = || schema.schema_definition.directives.iter().map(|directive| &**directive);
    let directive_definitions: IndexMap<_, _> = definitions
        .iter()
        .filter_map(Definition::as_directive_definition)
        .map(|definition| (definition.name.clone(), definition.clone()))
        .collect();
    let to_compose = on_schema()
        .filter(|directive| directive.name == "federation__composeDirective")
        .map(|directive| string(directive, "name"))
        .collect();
    let mut subgraph = Subgraph {
        name: input.name.clone(),
        url: input.url.clone().unwrap_or_default(),
        types,
        description: None,
        schema_marks: Marks::read(on_schema()),
        composed: composed::read(to_compose, &links, &directive_definitions, &input.name, report),
        directive_definitions,
        links: links.foreign,
        directive_names,
        version,
        key_fields: HashSet::default(),
        provided_fields: HashSet::default(),
        required_fields: HashSet::default(),
    };
    contexts::check_directive_definitions(definitions, &input.name, report);
    contexts::resolve(&mut subgraph, schema, from_contexts(schema), report);
    index_field_sets(&mut subgraph);
    mark_keys_of_extensions(&mut subgraph);
    subgraph
}

/// Notes which fields the field sets of `subgraph` select.
pub(crate) fn index_field_sets(subgraph: &mut Subgraph) {
    let mut keys = HashSet::default();
    let mut provided = HashSet::default();
    let mut required = HashSet::default();
    for def in subgraph.types.values() {
        for key in &def.keys {
            keys.extend(field_set_targets(subgraph, &key.fields.selection));
        }
        for field in def.fields.values() {
            if let Some(provides) = &field.provides {
                provided.extend(field_set_targets(subgraph, &provides.selection));
            }
            let contextual =
                field.arguments.values().filter_map(|value| value.from_context.as_ref());
            for read in field.requires.iter().chain(contextual.flat_map(|from| &from.on)) {
                required.extend(field_set_targets(subgraph, &read.selection));
            }
        }
    }
    subgraph.key_fields = keys;
    subgraph.provided_fields = provided;
    subgraph.required_fields = required;
}

/// Federation 1 wanted `@external` on the key fields of an extension, and some still write it: those are resolved.
fn mark_keys_of_extensions(subgraph: &mut Subgraph) {
    let targets: Vec<(Name, Name)> = subgraph
        .types
        .values()
        .flat_map(|def| &def.keys)
        .filter(|key| key.extension)
        .flat_map(|key| field_set_targets(subgraph, &key.fields.selection))
        .collect();
    for (type_name, field) in targets {
        let field = subgraph.types.get_mut(&type_name).and_then(|def| def.fields.get_mut(&field));
        if let Some(field) = field.filter(|field| field.external == External::Yes) {
            field.external = External::KeyOfExtension;
        }
    }
}

struct Extractor<'a> {
    schema: &'a Valid<Schema>,
    subgraph: &'a str,
    version: Version,
    report: &'a mut Report,
}

impl Extractor<'_> {
    fn type_def(&mut self, def: &ExtendedType, only_extended: bool) -> TypeDef {
        let directives = def.directives();
        let applied = || directives.iter().map(|directive| &**directive);
        let extends = directives.has("federation__extends");
        let mut ty = TypeDef {
            name: def.name().clone(),
            kind: kind(def),
            description: def.description().cloned(),
            marks: Marks::read(applied()),
            extension_only: only_extended || (extends && self.version.is_federation_1()),
            interface_object: directives.has("federation__interfaceObject"),
            keys: self.keys(def.name(), directives, only_extended || extends),
            interfaces: Vec::new(),
            fields: IndexMap::default(),
            input_fields: IndexMap::default(),
            members: Vec::new(),
            values: IndexMap::default(),
            specified_by: directives
                .get("specifiedBy")
                .and_then(|directive| string(directive, "url")),
            one_of: directives.has("oneOf"),
            cache_tags: strings_of(applied(), "federation__cacheTag", "format"),
        };
        match def {
            ExtendedType::Scalar(_) => {}
            ExtendedType::Object(object) => {
                ty.interfaces = names(&object.implements_interfaces);
                ty.fields = self.fields(&ty.name, directives, &object.fields);
            }
            ExtendedType::Interface(interface) => {
                ty.interfaces = names(&interface.implements_interfaces);
                ty.fields = self.fields(&ty.name, directives, &interface.fields);
            }
            ExtendedType::Union(union) => ty.members = names(&union.members),
            ExtendedType::Enum(definition) => {
                ty.values = definition
                    .values
                    .values()
                    .map(|value| {
                        let value = EnumValue {
                            name: value.value.clone(),
                            description: value.description.clone(),
                            marks: Marks::read(&value.directives),
                        };
                        (value.name.clone(), value)
                    })
                    .collect();
            }
            ExtendedType::InputObject(object) => {
                ty.input_fields =
                    object.fields.values().map(|value| keyed(input_value(value))).collect();
            }
        }
        ty
    }

    fn keys(&mut self, type_name: &Name, directives: &DirectiveList, extension: bool) -> Vec<Key> {
        let mut keys = Vec::new();
        for directive in directives.get_all("federation__key") {
            let codes = (Code::KeyInvalidFields, Code::KeyInvalidFieldsType);
            if let Some(fields) = self.field_set(directive, type_name, type_name, codes) {
                let resolvable = directive
                    .specified_argument_by_name("resolvable")
                    .and_then(|value| value.to_bool());
                keys.push(Key {
                    fields,
                    resolvable: resolvable.unwrap_or(true),
                    extension: extension || directive.origin.extension_id().is_some(),
                });
            }
        }
        keys
    }

    fn fields(
        &mut self,
        type_name: &Name,
        on_type: &DirectiveList,
        fields: &IndexMap<Name, Component<FieldDefinition>>,
    ) -> IndexMap<Name, Field> {
        fields
            .values()
            .filter(|field| field.name != PLACEHOLDER_FIELD)
            .map(|field| (field.name.clone(), self.field(type_name, on_type, field)))
            .collect()
    }

    fn field(
        &mut self,
        type_name: &Name,
        on_type: &DirectiveList,
        definition: &Component<FieldDefinition>,
    ) -> Field {
        let directives = &definition.directives;
        let at = format!("{type_name}.{}", definition.name);
        // On a type, a directive stands for all fields of that definition or extension, not of the others.
        let on_same_part = |name: &str| {
            on_type.get_all(name).any(|directive| directive.origin == definition.origin)
        };
        // Federation 1 ignored it on types.
        let on_type = !self.version.is_federation_1() && on_same_part("federation__external");
        let external = on_type || directives.has("federation__external");
        let requires = directives.get("federation__requires").and_then(|directive| {
            let codes = (Code::RequiresInvalidFields, Code::RequiresInvalidFieldsType);
            self.field_set(directive, &at, type_name, codes)
        });
        let provides = directives
            .get("federation__provides")
            .and_then(|directive| self.provides(directive, &at, definition));
        let overriding = directives.get("federation__override");
        Field {
            name: definition.name.clone(),
            ty: definition.ty.clone(),
            description: definition.description.clone(),
            marks: Marks::read(directives),
            arguments: definition
                .arguments
                .iter()
                .map(|argument| keyed(input_value(argument)))
                .collect(),
            external: if external { External::Yes } else { External::No },
            shareable: self.version.is_federation_1()
                || directives.has("federation__shareable")
                || on_same_part("federation__shareable"),
            requires,
            provides,
            override_from: overriding.and_then(|directive| string(directive, "from")),
            // An empty label is none.
            override_label: overriding
                .and_then(|directive| string(directive, "label"))
                .filter(|label| !label.is_empty()),
            cache_tags: strings_of(directives, "federation__cacheTag", "format"),
        }
    }

    fn provides(
        &mut self,
        directive: &Directive,
        at: &str,
        definition: &FieldDefinition,
    ) -> Option<FieldSet> {
        let returned = definition.ty.inner_named_type();
        let composite = self.schema.types.get(returned).is_some_and(|def| kind(def).is_composite());
        if !composite && self.version.is_federation_1() {
            return None;
        }
        if !composite {
            let message = format!(
                "@provides is on a field of type \"{}\", which has no fields to provide; \
                 it may be on a field that returns an object, an interface or a union",
                definition.ty
            );
            self.report.error(Code::ProvidesOnNonObjectField, at, &[self.subgraph], message);
            return None;
        }
        self.field_set(
            directive,
            at,
            returned,
            (Code::ProvidesInvalidFields, Code::ProvidesInvalidFieldsType),
        )
    }

    /// Reads the argument `fields`. `codes`: for an invalid selection, and for a value that is not a string.
    fn field_set(
        &mut self,
        directive: &Directive,
        at: &str,
        on_type: &Name,
        codes: (Code, Code),
    ) -> Option<FieldSet> {
        let name = directive.name.trim_start_matches("federation__");
        let value = directive.specified_argument_by_name("fields")?;
        // Federation 1 took names and lists too.
        let federation_1 = self.version.is_federation_1();
        let Some(source) =
            string_or_names(value).filter(|_| federation_1 || value.as_str().is_some())
        else {
            let message = format!("@{name}(fields: {value}): \"fields\" must be a string");
            self.report.error(codes.1, at, &[self.subgraph], message);
            return None;
        };
        match FieldSet::parse(self.schema, on_type, &source) {
            Ok(fields) => Some(fields),
            Err(problem) => {
                let message = format!(
                    "@{name}(fields: \"{source}\") is not a selection on \"{on_type}\": {problem}"
                );
                self.report.error(codes.0, at, &[self.subgraph], message);
                None
            }
        }
    }
}

/// A string, a name, or a list of strings as one.
fn string_or_names(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Enum(name) => Some(name.to_string()),
        Value::List(items) => {
            let items: Option<Vec<&str>> = items.iter().map(|item| item.as_str()).collect();
            items.map(|items| items.join(" "))
        }
        _ => None,
    }
}

fn kind(def: &ExtendedType) -> Kind {
    match def {
        ExtendedType::Scalar(_) => Kind::Scalar,
        ExtendedType::Object(_) => Kind::Object,
        ExtendedType::Interface(_) => Kind::Interface,
        ExtendedType::Union(_) => Kind::Union,
        ExtendedType::Enum(_) => Kind::Enum,
        ExtendedType::InputObject(_) => Kind::InputObject,
    }
}

fn names<'a>(names: impl IntoIterator<Item = &'a ComponentName>) -> Vec<Name> {
    names.into_iter().map(|name| name.name.clone()).collect()
}

fn keyed(value: InputValue) -> (Name, InputValue) {
    (value.name.clone(), value)
}

fn input_value(definition: &InputValueDefinition) -> InputValue {
    InputValue {
        name: definition.name.clone(),
        ty: (*definition.ty).clone(),
        default: definition.default_value.clone(),
        description: definition.description.clone(),
        marks: Marks::read(&definition.directives),
        from_context: None,
    }
}

/// What every `@fromContext` takes, by type, field and argument; empty where it says nothing.
fn from_contexts(schema: &Schema) -> Vec<(Name, Name, Name, String)> {
    let mut found = Vec::new();
    for def in schema.types.values() {
        let fields = match def {
            ExtendedType::Object(object) => &object.fields,
            ExtendedType::Interface(interface) => &interface.fields,
            _ => continue,
        };
        for field in fields.values() {
            for argument in &field.arguments {
                if let Some(directive) = argument.directives.get("federation__fromContext") {
                    let text = string(directive, "field").unwrap_or_default();
                    let (name, argument) = (field.name.clone(), argument.name.clone());
                    found.push((def.name().clone(), name, argument, text));
                }
            }
        }
    }
    found
}

/// The arguments of a directive.
pub(crate) fn directive_arguments(definition: &DirectiveDefinition) -> IndexMap<Name, InputValue> {
    definition.arguments.iter().map(|argument| keyed(input_value(argument))).collect()
}
