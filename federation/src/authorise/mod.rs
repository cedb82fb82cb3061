//! Authorisation: which parts of an operation a viewer may not see, decided before anything is fetched.
//!
//! A pure function of the operation, the supergraph's requirements and the viewer's claims. What is refused is neither
//! planned nor fetched; the answer has null in its place, and an error for it. A field all of whose selections are refused
//! is not asked for either, so that a mutation whose result may not be seen does not run.

use std::collections::BTreeSet;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use apollo_compiler::collections::HashMap;

use crate::operation::{DeferSet, Field, SelectionSet};
use crate::supergraph::{Requirement, RequirementId, Supergraph};

/// What is known of who is asking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// Whether it is known who it is.
    pub authenticated: bool,
    /// What the credentials allow, as `@requiresScopes` names it.
    pub scopes: BTreeSet<String>,
    /// The policies that were found to hold, as `@policy` names them.
    pub policies: BTreeSet<String>,
}

impl Claims {
    fn meet(&self, requirement: &Requirement) -> bool {
        let any = |alternatives: &[Vec<String>], held: &BTreeSet<String>| {
            alternatives.iter().any(|names| names.iter().all(|name| held.contains(name)))
        };
        match requirement {
            Requirement::Authenticated => self.authenticated,
            Requirement::Scopes(alternatives) => any(alternatives, &self.scopes),
            Requirement::Policies(alternatives) => any(alternatives, &self.policies),
        }
    }
}

/// The requirements that anything in `operation` has.
pub(crate) fn requirements(
    supergraph: &Supergraph,
    operation: &SelectionSet,
) -> BTreeSet<RequirementId> {
    let mut found = BTreeSet::new();
    if !supergraph.access().is_empty() {
        collect(supergraph, operation, &mut found);
    }
    found
}

/// Adds those of `set` and everything in it to `found`.
fn collect(supergraph: &Supergraph, set: &SelectionSet, found: &mut BTreeSet<RequirementId>) {
    found.extend(supergraph.access().of_type(&set.ty));
    for field in &set.fields {
        found.extend(of_field(supergraph, &set.ty, field));
        if let Some(set) = &field.selections {
            collect(supergraph, set, found);
        }
    }
    for fragment in &set.fragments {
        collect(supergraph, fragment, found);
    }
}

/// What the field and its type require.
fn of_field<'a>(
    supergraph: &'a Supergraph,
    parent: &Name,
    field: &Field,
) -> impl Iterator<Item = &'a RequirementId> {
    let access = supergraph.access();
    let own = access.of_field(parent, &field.name);
    own.iter().chain(access.of_type(field.ty.inner_named_type()))
}

/// Those of `requirements` that `claims` do not meet.
pub(crate) fn unmet(
    supergraph: &Supergraph,
    requirements: &BTreeSet<RequirementId>,
    claims: &Claims,
) -> BTreeSet<RequirementId> {
    let met = |id: &RequirementId| {
        supergraph.access().requirement(*id).is_some_and(|requirement| claims.meet(requirement))
    };
    requirements.iter().filter(|id| !met(id)).copied().collect()
}

/// An operation of which a viewer may see only a part.
#[derive(Debug)]
pub(crate) struct Restricted {
    /// What is fetched.
    pub(crate) allowed: SelectionSet,
    /// What is answered: everything, the refused fields marked as withheld.
    pub(crate) answered: SelectionSet,
    /// Response keys down to each refused field, or to the field with a refused fragment.
    pub(crate) refused: Vec<Vec<Arc<str>>>,
}

/// Takes out of `operation` what has any of the requirements `unmet`. `renamed` gives the client's response key of each key
/// that only the data has.
pub(crate) fn restrict(
    supergraph: &Supergraph,
    operation: &SelectionSet,
    unmet: &BTreeSet<RequirementId>,
    renamed: &HashMap<Name, Name>,
) -> Restricted {
    let mut restriction =
        Restriction { supergraph, unmet, renamed, path: Vec::new(), refused: Vec::new() };
    let (allowed, answered) = if restriction.refuses_type(&operation.ty) {
        restriction.refuse_all(operation)
    } else {
        restriction.selections(operation)
    };
    Restricted { allowed, answered, refused: restriction.refused }
}

struct Restriction<'a> {
    supergraph: &'a Supergraph,
    unmet: &'a BTreeSet<RequirementId>,
    renamed: &'a HashMap<Name, Name>,
    path: Vec<Arc<str>>,
    refused: Vec<Vec<Arc<str>>>,
}

impl Restriction<'_> {
    fn refuses_type(&self, name: &Name) -> bool {
        self.supergraph.access().of_type(name).iter().any(|id| self.unmet.contains(id))
    }

    fn enter(&mut self, field: &Field) {
        let key = self.renamed.get(&field.key).unwrap_or(&field.key);
        self.path.push(key.as_str().into());
    }

    fn note(&mut self) {
        if !self.refused.contains(&self.path) {
            self.refused.push(self.path.clone());
        }
    }

    /// What is fetched of `set`, and what is answered.
    fn selections(&mut self, set: &SelectionSet) -> (SelectionSet, SelectionSet) {
        let mut allowed = SelectionSet::new(set.ty.clone());
        let mut answered = SelectionSet::new(set.ty.clone());
        for field in &set.fields {
            self.enter(field);
            let (fetched, written) = self.field(&set.ty, field);
            self.path.pop();
            allowed.fields.extend(fetched);
            answered.fields.push(written);
        }
        for fragment in &set.fragments {
            let (fetched, written) = if self.refuses_type(&fragment.ty) {
                self.note();
                withhold_all(fragment)
            } else {
                self.selections(fragment)
            };
            if !fetched.is_empty() {
                allowed.fragments.push(fetched);
            }
            answered.fragments.push(written);
        }
        // Which of the selections is answered depends on the type, also when none of a type is fetched.
        if allowed.fragments.len() < set.fragments.len() && !allowed.is_empty() {
            require_type_name(&mut allowed);
        }
        (allowed, answered)
    }

    fn field(&mut self, parent: &Name, field: &Arc<Field>) -> (Option<Arc<Field>>, Arc<Field>) {
        if of_field(self.supergraph, parent, field).any(|id| self.unmet.contains(id)) {
            self.note();
            return (None, withhold(field));
        }
        let Some(set) = &field.selections else {
            return (Some(field.clone()), field.clone());
        };
        let (allowed, answered) = self.selections(set);
        if allowed.is_empty() {
            return (None, withhold(field));
        }
        let with = |set| Arc::new(Field { selections: Some(set), ..Field::clone(field) });
        (Some(with(allowed)), with(answered))
    }

    fn refuse_all(&mut self, set: &SelectionSet) -> (SelectionSet, SelectionSet) {
        for field in &set.fields {
            self.enter(field);
            self.note();
            self.path.pop();
        }
        withhold_all(set)
    }
}

/// Nothing of `set` is fetched.
fn withhold_all(set: &SelectionSet) -> (SelectionSet, SelectionSet) {
    let mut answered = SelectionSet::new(set.ty.clone());
    answered.fields = set.fields.iter().map(withhold).collect();
    answered.fragments = set.fragments.iter().map(|set| withhold_all(set).1).collect();
    (SelectionSet::new(set.ty.clone()), answered)
}

fn withhold(field: &Arc<Field>) -> Arc<Field> {
    Arc::new(Field { withheld: true, ..Field::clone(field) })
}

/// Asks for `__typename` in front of everything else.
fn require_type_name(set: &mut SelectionSet) {
    const TYPE_NAME: Name = apollo_compiler::name!("__typename");
    if set.fields.iter().all(|field| field.key != TYPE_NAME) {
        let field = Field {
            order: 0,
            key: TYPE_NAME,
            name: TYPE_NAME,
            arguments: Vec::new(),
            directives: Vec::new(),
            around: Vec::new(),
            ty: Type::NonNullNamed(apollo_compiler::name!("String")),
            selections: None,
            defer: DeferSet::NONE,
            defers: None,
            stream: None,
            withheld: false,
        };
        set.fields.insert(0, Arc::new(field));
    }
}
