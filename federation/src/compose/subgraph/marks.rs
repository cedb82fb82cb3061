//! Marks: what directives say about an element of a schema besides its structure and its place in the graph.
//!
//! Data, and how it is read from directives. How the marks of several subgraphs become one is decided in `merge`.

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, Value};

/// Marks that anything in a schema may carry.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Marks {
    pub(crate) inaccessible: bool,
    pub(crate) tags: Vec<String>,
    /// The reason, when deprecated.
    pub(crate) deprecated: Option<String>,
    pub(crate) access: Access,
    /// `@cost(weight:)`.
    pub(crate) cost: Option<i32>,
    pub(crate) list_size: Option<ListSize>,
    /// Names of contexts that a value of the type sets; in the supergraph with that of their subgraph.
    pub(crate) contexts: Vec<String>,
    /// Directives of the subgraph's own, as written.
    pub(crate) custom: Vec<Node<Directive>>,
}

/// What a viewer needs: `@authenticated`, `@requiresScopes`, `@policy`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) authenticated: bool,
    pub(crate) scopes: Option<AnyOf>,
    pub(crate) policies: Option<AnyOf>,
}

/// Alternatives, of which one must be met; each is a list of names that are all needed. No alternative at all means
/// that nothing is needed, as for Apollo Router.
pub(crate) type AnyOf = Vec<Vec<String>>;

/// `@listSize`, with the arguments that were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListSize {
    pub(crate) assumed_size: Option<i32>,
    pub(crate) slicing_arguments: Option<Vec<String>>,
    pub(crate) sized_fields: Option<Vec<String>>,
    pub(crate) require_one_slicing_argument: Option<bool>,
}

impl Access {
    pub(crate) fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

impl Marks {
    /// Reads the marks among `directives`, which have canonical names.
    pub(super) fn read<'a>(directives: impl IntoIterator<Item = &'a Node<Directive>>) -> Self {
        let mut marks = Self::default();
        for directive in directives {
            marks.add(directive);
        }
        marks
    }

    fn add(&mut self, directive: &Node<Directive>) {
        match directive.name.as_str() {
            "federation__inaccessible" => self.inaccessible = true,
            "federation__tag" => self.tags.extend(string(directive, "name")),
            "federation__authenticated" => self.access.authenticated = true,
            "federation__requiresScopes" => {
                self.access.scopes = argument(directive, "scopes").map(any_of);
            }
            "federation__policy" => {
                self.access.policies = argument(directive, "policies").map(any_of);
            }
            "federation__cost" => {
                self.cost = argument(directive, "weight").and_then(Value::to_i32);
            }
            "federation__context" => self.contexts.extend(string(directive, "name")),
            "federation__listSize" => self.list_size = Some(list_size(directive)),
            "deprecated" => {
                let reason = string(directive, "reason");
                self.deprecated = Some(reason.unwrap_or_else(|| "No longer supported".to_owned()));
            }
            "specifiedBy" | "oneOf" => {}
            name if name.starts_with(super::spec::PREFIX) => {}
            _ => self.custom.push(directive.clone()),
        }
    }
}

fn list_size(directive: &Directive) -> ListSize {
    let strings = |name| argument(directive, name).map(strings);
    ListSize {
        assumed_size: argument(directive, "assumedSize").and_then(Value::to_i32),
        slicing_arguments: strings("slicingArguments"),
        sized_fields: strings("sizedFields"),
        require_one_slicing_argument: argument(directive, "requireOneSlicingArgument")
            .and_then(Value::to_bool),
    }
}

/// The values of the repeatable `directive`'s string `argument`, in the order of the applications.
pub(super) fn strings_of<'a>(
    directives: impl IntoIterator<Item = &'a Node<Directive>>,
    name: &str,
    argument: &str,
) -> Vec<String> {
    let applications = directives.into_iter().filter(|directive| directive.name == name);
    applications.filter_map(|directive| string(directive, argument)).collect()
}

pub(super) fn string(directive: &Directive, name: &str) -> Option<String> {
    argument(directive, name)?.as_str().map(str::to_owned)
}

/// An argument that is given and not null.
fn argument<'a>(directive: &'a Directive, name: &str) -> Option<&'a Value> {
    directive
        .specified_argument_by_name(name)
        .map(|value| &**value)
        .filter(|value| !value.is_null())
}

/// A single value stands for a list of it.
fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(items) => items.iter().map(|item| &**item).collect(),
        value => vec![value],
    }
}

fn strings(value: &Value) -> Vec<String> {
    items(value).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn any_of(value: &Value) -> AnyOf {
    items(value).into_iter().map(strings).collect()
}
