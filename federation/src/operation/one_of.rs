//! Checks literals of `@oneOf` input objects (September 2025 edition, section 5.6.5), a rule that the parser does not know.
//!
//! Values given for variables are checked where they are coerced.

use apollo_compiler::ast::{Type, Value};
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Node, Schema};

use super::{RequestError, RequestErrorCode};

/// The literals in `operation`, and in the fragments of `document`, that break the rule.
pub(super) fn check(
    schema: &Schema,
    document: &ExecutableDocument,
    operation: &Operation,
) -> Vec<RequestError> {
    let mut check = Check { schema, document, operation, errors: Vec::new() };
    for variable in &operation.variables {
        if let Some(default) = &variable.default_value {
            check.value(&variable.ty, default);
        }
    }
    check.selections(&operation.selection_set);
    for fragment in document.fragments.values() {
        check.selections(&fragment.selection_set);
    }
    check.errors
}

struct Check<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    operation: &'a Operation,
    errors: Vec<RequestError>,
}

impl Check<'_> {
    fn selections(&mut self, set: &SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    for argument in &field.arguments {
                        if let Some(definition) = field.definition.argument_by_name(&argument.name)
                        {
                            self.value(&definition.ty, &argument.value);
                        }
                    }
                    self.selections(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn value(&mut self, ty: &Type, value: &Node<Value>) {
        match &**value {
            Value::List(items) => {
                for item in items {
                    self.value(ty.item_type(), item);
                }
            }
            Value::Object(fields) => {
                let Some(ExtendedType::InputObject(input)) =
                    self.schema.types.get(ty.inner_named_type())
                else {
                    return;
                };
                if input.directives.has("oneOf") {
                    let fits = match fields.as_slice() {
                        [(_, value)] => self.is_never_null(value),
                        _ => false,
                    };
                    if !fits {
                        let message =
                            format!("{} takes exactly one field, and never null", input.name);
                        let error = RequestError::new(RequestErrorCode::ValidationFailed, message)
                            .at(value.location(), &self.document.sources);
                        self.errors.push(error);
                    }
                }
                for (name, value) in fields {
                    if let Some(field) = input.fields.get(name) {
                        self.value(&field.ty, value);
                    }
                }
            }
            _ => {}
        }
    }

    fn is_never_null(&self, value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::Variable(name) => self
                .operation
                .variables
                .iter()
                .any(|variable| variable.name == *name && variable.ty.is_non_null()),
            _ => true,
        }
    }
}
