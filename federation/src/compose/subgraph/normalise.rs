//! Rewrites a parsed subgraph document so that later stages meet one spelling of everything.
//!
//! Federation directives get their canonical names, root types are called `Query`, `Mutation` and `Subscription`,
//! and definitions that belong to the subgraph protocol or repeat a specification are taken out.
//! Federation directives that were not imported are refused here, each with its coordinate.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{
    Definition, DirectiveList, FieldDefinition, InputValueDefinition, OperationType,
    SchemaExtension, Type,
};
use apollo_compiler::collections::{HashMap, HashSet};

use super::links::Links;
use super::model::Version;
use super::spec;
use crate::compose::diagnostic::{Code, Report};

/// The version that brought the argument `label` of `@override`.
const LABELS_SINCE: Version = Version(2, 7);

/// Rewrites `definitions` of the subgraph called `subgraph`. Returns what it calls the federation directives it applies.
pub(super) fn normalise(
    definitions: &mut Vec<Definition>,
    links: &Links,
    subgraph: &str,
    report: &mut Report,
) -> BTreeMap<&'static str, String> {
    let renames = root_renames(definitions, subgraph, report);
    let defined_directives = definitions
        .iter()
        .filter_map(Definition::as_directive_definition)
        .map(|directive| directive.name.clone())
        .collect();
    let applied = BTreeMap::new();
    let mut rewriter = Rewriter { links, renames, defined_directives, applied, subgraph, report };
    for definition in definitions.iter_mut() {
        rewriter.definition(definition);
    }
    definitions
        .retain(|definition| !rewriter.is_of_specification(definition) && !is_emptied(definition));
    rewriter.applied
}

/// A root type that had only fields of the subgraph protocol, a schema definition that had only links and root types.
fn is_emptied(definition: &Definition) -> bool {
    match definition {
        Definition::SchemaExtension(node) => node.directives.is_empty(),
        Definition::ObjectTypeDefinition(node) => node.fields.is_empty() && node.name == "Query",
        Definition::ObjectTypeExtension(node) => node.fields.is_empty() && node.name == "Query",
        _ => false,
    }
}

/// Which root types have names of their own. Schema definitions are dropped afterwards, so a type that has a root
/// type's name without being one cannot stay.
fn root_renames(
    definitions: &[Definition],
    subgraph: &str,
    report: &mut Report,
) -> HashMap<Name, Name> {
    let declared: Vec<&Node<(OperationType, Name)>> = definitions
        .iter()
        .flat_map(|definition| match definition {
            Definition::SchemaDefinition(schema) => schema.root_operations.as_slice(),
            Definition::SchemaExtension(schema) => schema.root_operations.as_slice(),
            _ => &[],
        })
        .collect();
    let mut renames = HashMap::default();
    if declared.is_empty() {
        return renames;
    }
    for (operation, canonical, code) in [
        (OperationType::Query, Name::new_unchecked("Query"), Code::RootQueryUsed),
        (OperationType::Mutation, Name::new_unchecked("Mutation"), Code::RootMutationUsed),
        (
            OperationType::Subscription,
            Name::new_unchecked("Subscription"),
            Code::RootSubscriptionUsed,
        ),
    ] {
        let root = declared.iter().find(|root| root.0 == operation).map(|root| &root.1);
        if root == Some(&canonical) {
            continue;
        }
        if definitions.iter().any(|definition| defines_type(definition, &canonical)) {
            let message = format!(
                "the type \"{canonical}\" is not the {operation} root type, but is called like it; rename it, \
                 or declare it in the schema definition"
            );
            report.error(code, &canonical, &[subgraph], message);
        } else if let Some(root) = root {
            renames.insert(root.clone(), canonical);
        }
    }
    renames
}

fn defines_type(definition: &Definition, name: &Name) -> bool {
    !matches!(definition, Definition::DirectiveDefinition(_)) && definition.name() == Some(name)
}

struct Rewriter<'a> {
    links: &'a Links,
    renames: HashMap<Name, Name>,
    /// Names of directives that the subgraph defines itself.
    defined_directives: HashSet<Name>,
    /// What the subgraph calls the federation directives it applies.
    applied: BTreeMap<&'static str, String>,
    subgraph: &'a str,
    report: &'a mut Report,
}

impl Rewriter<'_> {
    /// Whether the definition repeats a specification or serves the subgraph protocol.
    fn is_of_specification(&self, definition: &Definition) -> bool {
        match definition {
            Definition::DirectiveDefinition(directive) => {
                let name = directive.name.as_str();
                self.links.directives.contains_key(name)
                    || name == self.links.link_name
                    || matches!(
                        name,
                        "skip"
                            | "include"
                            | "deprecated"
                            | "specifiedBy"
                            | "oneOf"
                            | "defer"
                            | "stream"
                    )
            }
            _ => definition.name().is_some_and(|name| {
                spec::RUNTIME_TYPES.contains(&name.as_str())
                    || self.links.types.contains(name.as_str())
                    || super::is_built_in_scalar(name)
            }),
        }
    }

    fn definition(&mut self, definition: &mut Definition) {
        let at = definition.name().map(ToString::to_string).unwrap_or_default();
        macro_rules! composite {
            ($node:expr) => {{
                let node = $node.make_mut();
                self.rename(&mut node.name);
                self.directives(&mut node.directives, &at);
                node.fields.retain(|field| !spec::RUNTIME_FIELDS.contains(&field.name.as_str()));
                node.fields.iter_mut().for_each(|field| self.field(field, &at));
            }};
        }
        macro_rules! input {
            ($node:expr) => {{
                let node = $node.make_mut();
                self.directives(&mut node.directives, &at);
                node.fields
                    .iter_mut()
                    .for_each(|field| self.input_value(field, format!("{at}.{}", field.name)));
            }};
        }
        macro_rules! enumeration {
            ($node:expr) => {{
                let node = $node.make_mut();
                self.directives(&mut node.directives, &at);
                for value in &mut node.values {
                    let at = format!("{at}.{}", value.value);
                    self.directives(&mut value.make_mut().directives, &at);
                }
            }};
        }
        macro_rules! union {
            ($node:expr) => {{
                let node = $node.make_mut();
                self.directives(&mut node.directives, &at);
                node.members.iter_mut().for_each(|member| self.rename(member));
            }};
        }
        match definition {
            Definition::ObjectTypeDefinition(node) => composite!(node),
            Definition::ObjectTypeExtension(node) => composite!(node),
            Definition::InterfaceTypeDefinition(node) => composite!(node),
            Definition::InterfaceTypeExtension(node) => composite!(node),
            Definition::InputObjectTypeDefinition(node) => input!(node),
            Definition::InputObjectTypeExtension(node) => input!(node),
            Definition::EnumTypeDefinition(node) => enumeration!(node),
            Definition::EnumTypeExtension(node) => enumeration!(node),
            Definition::UnionTypeDefinition(node) => union!(node),
            Definition::UnionTypeExtension(node) => union!(node),
            Definition::ScalarTypeDefinition(node) => {
                self.directives(&mut node.make_mut().directives, &at)
            }
            Definition::ScalarTypeExtension(node) => {
                self.directives(&mut node.make_mut().directives, &at)
            }
            Definition::SchemaDefinition(node) => {
                let directives = std::mem::take(&mut node.make_mut().directives);
                *definition = self.schema(directives);
            }
            Definition::SchemaExtension(node) => {
                let directives = std::mem::take(&mut node.make_mut().directives);
                *definition = self.schema(directives);
            }
            Definition::DirectiveDefinition(node) => {
                for argument in &mut node.make_mut().arguments {
                    self.input_value(argument, format!("@{at}({}:)", argument.name));
                }
            }
            // Refused when the schema is built.
            Definition::OperationDefinition(_) | Definition::FragmentDefinition(_) => {}
        }
    }

    fn field(&mut self, field: &mut Node<FieldDefinition>, parent: &str) {
        let field = field.make_mut();
        let at = format!("{parent}.{}", field.name);
        self.rename_type(&mut field.ty);
        self.directives(&mut field.directives, &at);
        for argument in &mut field.arguments {
            self.input_value(argument, format!("{at}({}:)", argument.name));
        }
    }

    fn input_value(&mut self, value: &mut Node<InputValueDefinition>, at: String) {
        self.directives(&mut value.make_mut().directives, &at);
    }

    /// Root types have their usual names by now, and links are read: the rest is what the schema is marked with.
    fn schema(&mut self, mut directives: DirectiveList) -> Definition {
        let link = self.links.link_name.as_str();
        directives.retain(|directive| directive.name != link);
        self.directives(&mut directives, "schema");
        Definition::SchemaExtension(Node::new(SchemaExtension {
            directives,
            root_operations: Vec::new(),
        }))
    }

    /// Gives federation directives their canonical names; those that are not imported are reported and taken out.
    fn directives(&mut self, list: &mut DirectiveList, at: &str) {
        list.retain_mut(|directive| {
            let Some(known) = self.links.directives.get(directive.name.as_str()) else {
                return !self.report_not_imported(&directive.name, at);
            };
            if known.name == "override"
                && self.links.version < LABELS_SINCE
                && directive.specified_argument_by_name("label").is_some()
            {
                let message =
                    format!("@{} has the argument \"label\" since {LABELS_SINCE}", directive.name);
                self.report.error(Code::InvalidGraphql, at, &[self.subgraph], message);
            }
            self.applied.entry(known.name).or_insert_with(|| directive.name.to_string());
            directive.make_mut().name =
                Name::new_unchecked(&format!("{}{}", spec::PREFIX, known.name));
            true
        });
    }

    /// A federation directive under its usual name, without an import that gives it that name.
    fn report_not_imported(&mut self, name: &Name, at: &str) -> bool {
        let known = spec::directive(name, spec::NEWEST_MINOR).is_some();
        if !known || self.defined_directives.contains(name) {
            return false;
        }
        let message = format!(
            "the directive \"@{name}\" is not known; if that of federation is meant, add \"@{name}\" to the imports of \
             @link(url: \"https://specs.apollo.dev/federation/v2.5\", import: […])"
        );
        self.report.error(Code::InvalidGraphql, at, &[self.subgraph], message);
        true
    }

    fn rename(&self, name: &mut Name) {
        if let Some(canonical) = self.renames.get(name) {
            *name = canonical.clone();
        }
    }

    fn rename_type(&self, ty: &mut Type) {
        match ty {
            Type::Named(name) | Type::NonNullNamed(name) => self.rename(name),
            Type::List(item) | Type::NonNullList(item) => self.rename_type(item),
        }
    }
}
