//! Where `@stream` may stand: the rules of the specification's incremental delivery that the validation of documents leaves out.
//!
//! Refused: on a field that is no list, on root fields of mutations and subscriptions, anywhere in a subscription unless a variable
//! decides, with a label that is a variable's or another's, with a negative count.

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, Value};
use apollo_compiler::collections::HashSet;
use apollo_compiler::executable::{
    ExecutableDocument, Field, OperationType, Selection, SelectionSet,
};

use super::{RequestError, RequestErrorCode};

/// What of a document breaks the rules.
pub(super) fn check(document: &ExecutableDocument) -> Vec<RequestError> {
    let mut check = Check { document, errors: Vec::new(), labels: HashSet::default() };
    for operation in document.operations.iter() {
        let kind = operation.operation_type;
        if kind != OperationType::Query {
            check.root(&operation.selection_set, &mut HashSet::default());
        }
        check.set(&operation.selection_set, kind == OperationType::Subscription);
    }
    for fragment in document.fragments.values() {
        check.set(&fragment.selection_set, false);
    }
    check.errors
}

struct Check<'a> {
    document: &'a ExecutableDocument,
    errors: Vec<RequestError>,
    labels: HashSet<&'a str>,
}

impl<'a> Check<'a> {
    fn set(&mut self, set: &'a SelectionSet, in_subscription: bool) {
        for selection in &set.selections {
            for directive in selection.directives().iter() {
                self.label(directive);
            }
            match selection {
                Selection::Field(field) => {
                    if let Some(directive) = field.directives.get("stream") {
                        self.field(field, directive, in_subscription);
                    }
                    self.set(&field.selection_set, in_subscription);
                }
                Selection::InlineFragment(fragment) => {
                    self.set(&fragment.selection_set, in_subscription);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// Labels of both directives share one space. Those of `@defer` alone were compared before.
    fn label(&mut self, directive: &'a Node<Directive>) {
        let is_stream = directive.name == "stream";
        if !is_stream && directive.name != "defer" {
            return;
        }
        match directive.specified_argument_by_name("label").map(|label| &**label) {
            Some(Value::String(label)) if !self.labels.insert(label) => {
                self.refuse(directive, format!("the label {label:?} is another directive's"));
            }
            Some(Value::Variable(_)) if is_stream => {
                self.refuse(directive, "the label of @stream must not be a variable".to_owned());
            }
            _ => {}
        }
    }

    fn field(&mut self, field: &Field, directive: &'a Node<Directive>, in_subscription: bool) {
        if !field.ty().is_list() {
            self.refuse(directive, format!("@stream stands on {}, which is no list", field.name));
        }
        let argument = |name| directive.specified_argument_by_name(name).map(|value| &**value);
        if argument("initialCount").and_then(Value::to_i32).is_some_and(|count| count < 0) {
            self.refuse(directive, "the initialCount of @stream must not be negative".to_owned());
        }
        let may_be_off = matches!(argument("if"), Some(Value::Variable(_) | Value::Boolean(false)));
        if in_subscription && !may_be_off {
            self.refuse(directive, "@stream must be off in a subscription".to_owned());
        }
    }

    fn root(&mut self, set: &'a SelectionSet, visited: &mut HashSet<&'a str>) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    if let Some(directive) = field.directives.get("stream") {
                        let message = "@stream must not stand on a root field of a mutation or \
                                       subscription";
                        self.refuse(directive, message.to_owned());
                    }
                }
                Selection::InlineFragment(fragment) => self.root(&fragment.selection_set, visited),
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    if let Some(fragment) = fragment
                        && visited.insert(&spread.fragment_name)
                    {
                        self.root(&fragment.selection_set, visited);
                    }
                }
            }
        }
    }

    fn refuse(&mut self, directive: &Node<Directive>, message: String) {
        let error = RequestError::new(RequestErrorCode::ValidationFailed, message);
        self.errors.push(error.at(directive.location(), &self.document.sources));
    }
}
