//! What a viewer needs for a type or a field: `@authenticated`, `@requiresScopes` and `@policy` of a supergraph.
//!
//! Requirements are numbered, so that who meets what is decided once for each of them and not for each field. An interface
//! and its fields require what any of their implementations do: newer compositions print it so, of older ones it is
//! added here.

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::ast::{Directive, DirectiveList, FieldDefinition, Value};
use apollo_compiler::collections::{HashMap, IndexMap, IndexSet};
use apollo_compiler::schema::{Component, ExtendedType};

use super::links::{self, Link};

/// One thing that a viewer needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Requirement {
    /// To be signed in.
    Authenticated,
    /// One of the lists of scopes, with everything in it.
    Scopes(Vec<Vec<String>>),
    /// One of the lists of policies, with everything in it.
    Policies(Vec<Vec<String>>),
}

/// The place of a requirement among those of its supergraph.
pub(crate) type RequirementId = usize;

/// The requirements of a supergraph. Most have none.
#[derive(Debug, Default)]
pub(crate) struct Access {
    requirements: IndexSet<Requirement>,
    types: HashMap<Name, Vec<RequirementId>>,
    fields: HashMap<Name, HashMap<Name, Vec<RequirementId>>>,
}

impl Access {
    pub(crate) fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    pub(crate) fn requirement(&self, id: RequirementId) -> Option<&Requirement> {
        self.requirements.get_index(id)
    }

    /// What any use of the type requires.
    pub(crate) fn of_type(&self, name: &str) -> &[RequirementId] {
        self.types.get(name).map_or(&[], Vec::as_slice)
    }

    /// What the field itself requires; its type is not looked at.
    pub(crate) fn of_field(&self, parent: &str, field: &str) -> &[RequirementId] {
        let fields = self.fields.get(parent);
        fields.and_then(|fields| fields.get(field)).map_or(&[], Vec::as_slice)
    }
}

/// Reads the requirements of `schema`.
pub(super) fn read(schema: &Schema, links: &[Link]) -> Access {
    let names = Names {
        authenticated: links::directive(links, "authenticated"),
        scopes: links::directive(links, "requiresScopes"),
        policies: links::directive(links, "policy"),
    };
    let mut access = Access::default();
    if names.authenticated.is_none() && names.scopes.is_none() && names.policies.is_none() {
        return access;
    }
    for (name, ty) in &schema.types {
        let directives = ty.directives().iter().map(|directive| &***directive);
        let requirements = names.requirements(directives);
        access.add_to_type(name, requirements);
        for field in fields(ty).into_iter().flat_map(IndexMap::values) {
            let directives: &DirectiveList = &field.directives;
            let requirements = names.requirements(directives.iter().map(|directive| &**directive));
            access.add_to_field(name, &field.name, requirements);
        }
    }
    access.spread(schema);
    access
}

fn fields(ty: &ExtendedType) -> Option<&IndexMap<Name, Component<FieldDefinition>>> {
    match ty {
        ExtendedType::Object(object) => Some(&object.fields),
        ExtendedType::Interface(interface) => Some(&interface.fields),
        _ => None,
    }
}

/// What the directives are called in the supergraph, as far as they are linked.
struct Names {
    authenticated: Option<String>,
    scopes: Option<String>,
    policies: Option<String>,
}

impl Names {
    fn requirements<'a>(
        &self,
        directives: impl IntoIterator<Item = &'a Directive>,
    ) -> Vec<Requirement> {
        let is = |name: &Option<String>, directive: &Directive| {
            name.as_deref().is_some_and(|name| directive.name == name)
        };
        directives
            .into_iter()
            .filter_map(|directive| {
                if is(&self.authenticated, directive) {
                    Some(Requirement::Authenticated)
                } else if is(&self.scopes, directive) {
                    any_of(directive, "scopes").map(Requirement::Scopes)
                } else if is(&self.policies, directive) {
                    any_of(directive, "policies").map(Requirement::Policies)
                } else {
                    None
                }
            })
            .collect()
    }
}

/// The alternatives; none when the list is empty, which requires nothing.
fn any_of(directive: &Directive, argument: &str) -> Option<Vec<Vec<String>>> {
    let alternatives: Vec<Vec<String>> =
        items(directive.specified_argument_by_name(argument)?).into_iter().map(strings).collect();
    (!alternatives.is_empty()).then_some(alternatives)
}

fn strings(value: &Value) -> Vec<String> {
    items(value).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A single value stands for a list of it.
fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(items) => items.iter().map(|item| &**item).collect(),
        value => vec![value],
    }
}

impl Access {
    fn number(&mut self, requirements: Vec<Requirement>) -> Vec<RequirementId> {
        requirements.into_iter().map(|one| self.requirements.insert_full(one).0).collect()
    }

    fn add_to_type(&mut self, name: &Name, requirements: Vec<Requirement>) {
        if !requirements.is_empty() {
            let ids = self.number(requirements);
            self.types.insert(name.clone(), ids);
        }
    }

    fn add_to_field(&mut self, parent: &Name, field: &Name, requirements: Vec<Requirement>) {
        if !requirements.is_empty() {
            let ids = self.number(requirements);
            self.fields.entry(parent.clone()).or_default().insert(field.clone(), ids);
        }
    }

    /// Adds what implementations require to their interfaces.
    fn spread(&mut self, schema: &Schema) {
        for (name, ty) in &schema.types {
            let ExtendedType::Object(object) = ty else {
                continue;
            };
            let of_type = self.of_type(name).to_vec();
            let of_fields = self.fields.get(name).cloned().unwrap_or_default();
            for interface in &object.implements_interfaces {
                let types = &mut self.types;
                extend(types.entry(interface.name.clone()).or_default(), &of_type);
                let declared = schema.get_interface(interface).map(|interface| &interface.fields);
                for (field, ids) in &of_fields {
                    if declared.is_some_and(|fields| fields.contains_key(field)) {
                        let fields = self.fields.entry(interface.name.clone()).or_default();
                        extend(fields.entry(field.clone()).or_default(), ids);
                    }
                }
            }
        }
    }
}

fn extend(ids: &mut Vec<RequirementId>, more: &[RequirementId]) {
    ids.extend_from_slice(more);
    ids.sort_unstable();
    ids.dedup();
}
