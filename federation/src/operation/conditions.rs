//! `@skip` and `@include`: which variables decide, and what they decide in one request.
//!
//! A plan is made for each combination of the deciding variables that really occurs, so that what a request skips is neither
//! fetched nor led to.

use apollo_compiler::Name;
use apollo_compiler::ast::{DirectiveList, Value as AstValue};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::executable::{Operation, Selection, SelectionSet};

use crate::value::{Object, Value};

use super::Document;

/// The values of the variables that `@skip` and `@include` of an operation name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Conditions {
    /// `None` includes whatever the variable decides about.
    values: IndexMap<Name, Option<bool>>,
}

impl Conditions {
    /// The conditions of an operation, with everything included.
    pub(crate) fn of(document: &Document) -> Self {
        let mut conditions = Self::default();
        let mut note = |directives: &DirectiveList| {
            for name in ["skip", "include"] {
                let argument = directives
                    .get(name)
                    .and_then(|directive| directive.specified_argument_by_name("if"));
                if let Some(AstValue::Variable(variable)) = argument.map(|value| &**value) {
                    conditions.values.insert(variable.clone(), None);
                }
            }
        };
        walk(&document.operation.selection_set, &mut note);
        for fragment in document.executable.fragments.values() {
            walk(&fragment.selection_set, &mut note);
        }
        conditions.keep_declared(&document.operation);
        conditions
    }

    fn keep_declared(&mut self, operation: &Operation) {
        self.values
            .retain(|name, _| operation.variables.iter().any(|variable| variable.name == *name));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The same conditions with the values that `variables` gives. Validation made sure that they are Booleans.
    pub(crate) fn decided_by(&self, variables: &Object) -> Self {
        let values = self
            .values
            .keys()
            .map(|name| {
                let value = matches!(variables.get(name), Some(Value::Bool(true)));
                (name.clone(), Some(value))
            })
            .collect();
        Self { values }
    }

    /// The values in order, as a key to keep plans by.
    pub(crate) fn key(&self) -> Vec<bool> {
        self.values.values().map(|value| value.unwrap_or_default()).collect()
    }

    /// Whether a selection with these directives is included.
    pub(crate) fn include(&self, directives: &DirectiveList) -> bool {
        self.decide(directives, "skip") != Some(true)
            && self.decide(directives, "include") != Some(false)
    }

    fn decide(&self, directives: &DirectiveList, name: &str) -> Option<bool> {
        let argument = directives.get(name)?.specified_argument_by_name("if")?;
        match &**argument {
            AstValue::Boolean(value) => Some(*value),
            AstValue::Variable(variable) => self.values.get(variable).copied().flatten(),
            _ => None,
        }
    }
}

fn walk(set: &SelectionSet, note: &mut dyn FnMut(&DirectiveList)) {
    for selection in &set.selections {
        note(selection.directives());
        match selection {
            Selection::Field(field) => walk(&field.selection_set, note),
            Selection::InlineFragment(fragment) => walk(&fragment.selection_set, note),
            Selection::FragmentSpread(_) => {}
        }
    }
}
