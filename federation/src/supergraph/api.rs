//! Derives the client's schema: what remains of a supergraph without its machinery and its inaccessible elements.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::Schema;
use apollo_compiler::ast;
use apollo_compiler::name;
use apollo_compiler::schema::{Component, DirectiveList, ExtendedType, InputValueDefinition};
use apollo_compiler::validation::Valid;

use super::SupergraphError;
use super::links::{self, Link};

/// The directives on schema elements that mean something to clients.
const CLIENT_DIRECTIVES: [&str; 3] = ["deprecated", "specifiedBy", "oneOf"];

/// The directives of the specification itself.
const BUILT_IN: [&str; 5] = ["skip", "include", "deprecated", "specifiedBy", "oneOf"];

pub(super) fn schema(
    supergraph: &Valid<Schema>,
    links: &[Link],
) -> Result<Valid<Schema>, SupergraphError> {
    let filter = Filter { links, inaccessible: links::directive(links, "inaccessible") };
    let mut schema = Schema::clone(supergraph);
    let hidden = |name: &str| {
        filter.is_machinery(name)
            || supergraph.types.get(name).is_some_and(|ty| filter.is_hidden(ty.directives()))
    };
    schema.types.retain(|name, _| !hidden(name));
    for ty in schema.types.values_mut() {
        filter.strip_type(ty, &hidden);
    }
    schema.directive_definitions.retain(|name, definition| filter.is_for_clients(name, definition));
    for definition in schema.directive_definitions.values_mut() {
        filter.strip_arguments(&mut definition.make_mut().arguments);
    }
    let definition = schema.schema_definition.make_mut();
    definition.directives = DirectiveList::default();
    for root in [&mut definition.mutation, &mut definition.subscription] {
        if root.as_ref().is_some_and(|name| hidden(name)) {
            *root = None;
        }
    }
    add_is_one_of(&mut schema);
    add_incremental_delivery(&mut schema);
    schema.validate().map_err(|invalid| SupergraphError::InvalidApi(invalid.errors.to_string()))
}

/// Adds `__Type.isOneOf` (September 2025 edition, section 4.2.2), which the parser's own types of introspection lack.
fn add_is_one_of(schema: &mut Schema) {
    if let Some(ExtendedType::Object(ty)) = schema.types.get_mut("__Type") {
        let field = ast::FieldDefinition {
            description: None,
            name: name!("isOneOf"),
            arguments: Vec::new(),
            ty: ast::Type::Named(name!("Boolean")),
            directives: ast::DirectiveList::default(),
        };
        ty.make_mut().fields.insert(name!("isOneOf"), field.into());
    }
}

/// Defines `@defer` and `@stream`, which the engine serves, as the specification's incremental delivery has them.
fn add_incremental_delivery(schema: &mut Schema) {
    use ast::DirectiveLocation::{Field, FragmentSpread, InlineFragment};
    let argument = |name: Name, ty: ast::Type, default_value: Option<ast::Value>| {
        Node::new(InputValueDefinition {
            description: None,
            name,
            ty: Node::new(ty),
            default_value: default_value.map(Node::new),
            directives: ast::DirectiveList::default(),
        })
    };
    let is_on = || {
        let ty = ast::Type::NonNullNamed(name!("Boolean"));
        argument(name!("if"), ty, Some(ast::Value::Boolean(true)))
    };
    let label = || argument(name!("label"), ast::Type::Named(name!("String")), None);
    let initial = argument(
        name!("initialCount"),
        ast::Type::NonNullNamed(name!("Int")),
        Some(ast::Value::from(0)),
    );
    for (name, arguments, locations) in [
        (name!("defer"), vec![is_on(), label()], vec![FragmentSpread, InlineFragment]),
        (name!("stream"), vec![is_on(), label(), initial], vec![Field]),
    ] {
        let definition = ast::DirectiveDefinition {
            description: None,
            name: name.clone(),
            arguments,
            repeatable: false,
            locations,
        };
        schema.directive_definitions.insert(name, Node::new(definition));
    }
}

struct Filter<'a> {
    links: &'a [Link],
    inaccessible: Option<String>,
}

impl Filter<'_> {
    fn is_machinery(&self, type_name: &str) -> bool {
        self.links.iter().any(|link| link.owns_type(type_name))
    }

    fn is_hidden(&self, directives: &DirectiveList) -> bool {
        self.inaccessible.as_deref().is_some_and(|name| directives.has(name))
    }

    fn is_hidden_ast(&self, directives: &ast::DirectiveList) -> bool {
        self.inaccessible.as_deref().is_some_and(|name| directives.has(name))
    }

    /// A directive that some subgraphs compose is not known to all, so that what it stands at could not be asked of any.
    fn is_for_clients(&self, name: &str, definition: &ast::DirectiveDefinition) -> bool {
        let is_composed = || self.links.iter().any(|link| link.owns_directive(name));
        BUILT_IN.contains(&name)
            || (definition.locations.iter().any(|location| is_executable(*location))
                && !is_composed())
    }

    fn strip_type(&self, ty: &mut ExtendedType, hidden: &dyn Fn(&str) -> bool) {
        match ty {
            ExtendedType::Scalar(node) => strip(&mut node.make_mut().directives),
            ExtendedType::Object(node) => {
                let object = node.make_mut();
                strip(&mut object.directives);
                object.implements_interfaces.retain(|name| !hidden(name));
                self.strip_fields(&mut object.fields);
            }
            ExtendedType::Interface(node) => {
                let interface = node.make_mut();
                strip(&mut interface.directives);
                interface.implements_interfaces.retain(|name| !hidden(name));
                self.strip_fields(&mut interface.fields);
            }
            ExtendedType::Union(node) => {
                let union = node.make_mut();
                strip(&mut union.directives);
                union.members.retain(|name| !hidden(name));
            }
            ExtendedType::Enum(node) => {
                let enumeration = node.make_mut();
                strip(&mut enumeration.directives);
                enumeration.values.retain(|_, value| !self.is_hidden_ast(&value.directives));
                for value in enumeration.values.values_mut() {
                    strip_ast(&mut value.make_mut().directives);
                }
            }
            ExtendedType::InputObject(node) => {
                let input = node.make_mut();
                strip(&mut input.directives);
                input.fields.retain(|_, field| !self.is_hidden_ast(&field.directives));
                for field in input.fields.values_mut() {
                    strip_ast(&mut field.make_mut().directives);
                }
            }
        }
    }

    fn strip_fields(
        &self,
        fields: &mut apollo_compiler::collections::IndexMap<
            apollo_compiler::Name,
            Component<ast::FieldDefinition>,
        >,
    ) {
        fields.retain(|_, field| !self.is_hidden_ast(&field.directives));
        for field in fields.values_mut() {
            let field = field.make_mut();
            strip_ast(&mut field.directives);
            self.strip_arguments(&mut field.arguments);
        }
    }

    fn strip_arguments(&self, arguments: &mut Vec<Node<InputValueDefinition>>) {
        arguments.retain(|argument| !self.is_hidden_ast(&argument.directives));
        for argument in arguments {
            strip_ast(&mut argument.make_mut().directives);
        }
    }
}

fn strip(directives: &mut DirectiveList) {
    directives.0.retain(|directive| CLIENT_DIRECTIVES.contains(&directive.name.as_str()));
}

fn strip_ast(directives: &mut ast::DirectiveList) {
    directives.0.retain(|directive| CLIENT_DIRECTIVES.contains(&directive.name.as_str()));
}

fn is_executable(location: ast::DirectiveLocation) -> bool {
    use ast::DirectiveLocation as At;
    matches!(
        location,
        At::Query
            | At::Mutation
            | At::Subscription
            | At::Field
            | At::FragmentDefinition
            | At::FragmentSpread
            | At::InlineFragment
            | At::VariableDefinition
    )
}
