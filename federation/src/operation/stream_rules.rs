//! Where `@stream` may stand: the rules of the specification's incremental delivery that the validation of documents leaves out.
//!
//! Refused: on a field that is no list, on root fields of mutations and subscriptions, anywhere in a subscription unless a variable
//! decides, with a label that is a variable's or another's, with a negative count, and where another field has the same response key.

use apollo_compiler::ast::{Directive, Value};
use apollo_compiler::collections::HashSet;
use apollo_compiler::executable::{
    ExecutableDocument, Field, OperationType, Selection, SelectionSet,
};
use apollo_compiler::{Node, Schema};

use super::{RequestError, RequestErrorCode, stream_overlaps};

/// What of a document breaks the rules.
pub(super) fn check(schema: &Schema, document: &ExecutableDocument) -> Vec<RequestError> {
    let labels = HashSet::default();
    let mut check = Check { document, errors: Vec::new(), labels, streams: false };
    for operation in document.operations.iter() {
        let kind = operation.operation_type;
        if kind != OperationType::Query {
            check.root(&operation.selection_set, &mut HashSet::default());
        }
        check.set(&operation.selection_set);
        if kind == OperationType::Subscription {
            check.subscription(&operation.selection_set, &mut HashSet::default());
        }
    }
    for fragment in document.fragments.values() {
        check.set(&fragment.selection_set);
    }
    if check.streams {
        check.errors.extend(stream_overlaps::check(schema, document));
    }
    check.errors
}

struct Check<'a> {
    document: &'a ExecutableDocument,
    errors: Vec<RequestError>,
    labels: HashSet<&'a str>,
    /// Whether there is any at all.
    streams: bool,
}

impl<'a> Check<'a> {
    fn set(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            for directive in selection.directives().iter() {
                self.label(directive);
            }
            match selection {
                Selection::Field(field) => {
                    if let Some(directive) = field.directives.get("stream") {
                        self.field(field, directive);
                    }
                    self.set(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => {
                    self.set(&fragment.selection_set);
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

    fn field(&mut self, field: &Field, directive: &'a Node<Directive>) {
        self.streams = true;
        if !field.ty().is_list() {
            self.refuse(directive, format!("@stream stands on {}, which is no list", field.name));
        }
        let argument = |name| directive.specified_argument_by_name(name).map(|value| &**value);
        if argument("initialCount").and_then(Value::to_i32).is_some_and(|count| count < 0) {
            self.refuse(directive, "the initialCount of @stream must not be negative".to_owned());
        }
    }

    /// What is selected in a subscription, fragments included.
    fn subscription(&mut self, set: &'a SelectionSet, visited: &mut HashSet<&'a str>) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    if let Some(directive) = field.directives.get("stream") {
                        let given =
                            directive.specified_argument_by_name("if").map(|value| &**value);
                        if !matches!(given, Some(Value::Variable(_) | Value::Boolean(false))) {
                            let message = "@stream must be off in a subscription";
                            self.refuse(directive, message.to_owned());
                        }
                    }
                    self.subscription(&field.selection_set, visited);
                }
                Selection::InlineFragment(fragment) => {
                    self.subscription(&fragment.selection_set, visited);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.unvisited(&spread.fragment_name, visited) {
                        self.subscription(fragment, visited);
                    }
                }
            }
        }
    }

    /// The selections of a fragment that was not visited yet.
    fn unvisited(&self, name: &'a str, visited: &mut HashSet<&'a str>) -> Option<&'a SelectionSet> {
        let fragment = self.document.fragments.get(name)?;
        visited.insert(name).then_some(&fragment.selection_set)
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
                    if let Some(fragment) = self.unvisited(&spread.fragment_name, visited) {
                        self.root(fragment, visited);
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
