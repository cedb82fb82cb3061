//! `@skip`, `@include` and `@defer`: which variables decide, and what they decide in one request.
//!
//! A plan is made for each combination of the deciding variables that really occurs, so that what a request skips is neither
//! fetched nor led to.

use apollo_compiler::Name;
use apollo_compiler::ast::{DirectiveList, Value as AstValue};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::executable::{Operation, Selection, SelectionSet};

use crate::value::{Object, Value};

use super::{Document, StreamUsage};

/// The values of the variables that `@skip`, `@include`, `@defer` and `@stream` of an operation name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Conditions {
    /// `None` includes, and defers, whatever the variable decides about.
    values: IndexMap<Name, Option<bool>>,
    /// Whether the operation has deferred or streamed parts, whatever their variables.
    has_deferred: bool,
    /// Whether parts may be delivered later at all.
    at_once: bool,
}

impl Conditions {
    /// The conditions of an operation, with everything included.
    pub(crate) fn of(document: &Document) -> Self {
        let mut conditions = Self::default();
        let mut note = |directives: &DirectiveList| {
            conditions.has_deferred |= directives.has("defer") || directives.has("stream");
            for name in ["skip", "include", "defer", "stream"] {
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
        self.values.is_empty() && !self.has_deferred
    }

    /// Whether any part may be delivered later, for some variables.
    pub(crate) const fn has_deferred(&self) -> bool {
        self.has_deferred
    }

    /// The same conditions with the values that `variables` gives. Validation made sure that they are Booleans.
    /// With `at_once`, nothing is delivered later.
    pub(crate) fn decided_by(&self, variables: &Object, at_once: bool) -> Self {
        let values = self
            .values
            .keys()
            .map(|name| {
                let value = matches!(variables.get(name), Some(Value::Bool(true)));
                (name.clone(), Some(value))
            })
            .collect();
        Self { values, has_deferred: self.has_deferred, at_once }
    }

    /// The values in order, as a key to keep plans by.
    pub(crate) fn key(&self) -> Vec<bool> {
        let values = self.values.values().map(|value| value.unwrap_or_default());
        values.chain([self.at_once]).collect()
    }

    /// Whether a selection with these directives is included.
    pub(crate) fn include(&self, directives: &DirectiveList) -> bool {
        self.decide(directives, "skip") != Some(true)
            && self.decide(directives, "include") != Some(false)
    }

    /// Whether a fragment with these directives is delivered later.
    pub(crate) fn defer(&self, directives: &DirectiveList) -> bool {
        !self.at_once && directives.has("defer") && self.decide(directives, "defer") != Some(false)
    }

    /// How a list with these directives is delivered in parts, if it is.
    pub(crate) fn stream(&self, directives: &DirectiveList) -> Option<StreamUsage> {
        let directive = directives.get("stream")?;
        let applies = !self.at_once && self.decide(directives, "stream") != Some(false);
        applies.then(|| StreamUsage::of(directive))
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
